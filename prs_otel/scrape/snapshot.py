"""Read what a scrape tells, from one moment of the store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from prs_otel.derived.catalog import READ
from prs_otel.rollup import lifetime, salvage

if TYPE_CHECKING:
    from prs_otel.rollup.cells import Cells
    from prs_otel.rollup.sample import Sample
    from prs_otel.rollup.series import Labels
    from prs_otel.rollup.view import MetricsView

READINGS: Final = 300.0
"""Seconds for which a reading of the host is its latest."""

_READ_NAMES: Final = frozenset(each.name for each in READ)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Hold all that was ever counted, samples of the latest of it, and what hosts read last.

    `readings` are by the name of the gauge, and by its labels.
    """

    cells: Cells
    samples: Sequence[Sample]
    readings: Mapping[str, Mapping[Labels, float]]


def taken(view: MetricsView, *, limit: int, now: float) -> Snapshot | None:
    """Return what is known at `now`, up to `limit` series of a kind apart.

    `None` while the leader has yet to add up what was merged before anybody asked. Raises
    `StoreError`.
    """
    with view.store.reading() as reader:
        counted = lifetime.counted(reader, limit=limit)
        if counted is None:
            return None
        blobs = reader.read("samples", counted.added).values()
    samples = [sample for blob in blobs for sample in salvage.samples(blob)]
    return Snapshot(counted.cells, samples, _readings(view, now))


def _readings(view: MetricsView, now: float) -> dict[str, dict[Labels, float]]:
    found: dict[str, dict[Labels, float]] = {}
    for (name, labels), gauge in view.all_gauges(seconds=READINGS, now=now).items():
        if name in _READ_NAMES:
            found.setdefault(name, {})[labels] = gauge.last
    return found
