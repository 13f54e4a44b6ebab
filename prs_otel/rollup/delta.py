"""What one worker counted between two seals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from prs_otel.rollup.cells import Cells
    from prs_otel.rollup.gauge import Gauge
    from prs_otel.rollup.sample import Sample
    from prs_otel.rollup.series import Labels


@dataclass(frozen=True, slots=True)
class Delta:
    """Carry the figures of ``[start, end)``, epoch seconds, from a worker to the store."""

    start: float
    end: float
    cells: Cells
    samples: Mapping[str, Sequence[Sample]]
    gauges: Mapping[tuple[str, Labels], Gauge]
