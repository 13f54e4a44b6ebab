"""Values that are read from time to time, such as a utilisation, summed up over a stretch of time."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from prs_otel.rollup.series import Labels


@dataclass(frozen=True, slots=True)
class Gauge:
    """Hold how often a value was read, its sum, its largest and its latest reading."""

    count: int
    total: float
    maximum: float
    last: float
    at: float

    @property
    def mean(self) -> float:
        """Return the mean of all readings."""
        return self.total / self.count

    def merged(self, other: Gauge) -> Gauge:
        """Return both taken together; the later reading is the latest."""
        latest = other if other.at >= self.at else self
        return Gauge(
            count=self.count + other.count,
            total=self.total + other.total,
            maximum=max(self.maximum, other.maximum),
            last=latest.last,
            at=latest.at,
        )


Gauges = dict[tuple[str, Labels], Gauge]


def reading(value: float, at: float) -> Gauge:
    """Return the gauge of a single reading; raises ``ValueError`` when it is not finite."""
    if not math.isfinite(value):
        raise ValueError(f"a gauge takes finite numbers, not {value!r}")
    return Gauge(count=1, total=value, maximum=value, last=value, at=at)


def merge_into(
    gauges: Gauges, others: Mapping[tuple[str, Labels], Gauge], *, limit: int
) -> int:
    """Merge ``others`` into ``gauges``; return how many series the limit turned away."""
    refused = 0
    for key, gauge in others.items():
        mine = gauges.get(key)
        if mine is not None:
            gauges[key] = mine.merged(gauge)
        elif len(gauges) < limit:
            gauges[key] = gauge
        else:
            refused += 1
    return refused
