"""A window cut into points of equal length, for drawing.

A stored bucket counts in the point its middle falls in.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from prs_otel.rollup.cell import Cell
from prs_otel.rollup.deploys import Deploy, deploys
from prs_otel.rollup.digest import Lookups, Point
from prs_otel.rollup.figures import Figures
from prs_otel.rollup.gauge import Gauge, Gauges, merge_into

if TYPE_CHECKING:
    from prs_otel.rollup import series
    from prs_otel.rollup.digest import Digest, Merged, Tally
    from prs_otel.store.base import Row

POINTS: Final = 400
"""How many points an answer has at most."""

_STEPS: Final = (10, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 14_400, 43_200)
_DAY: Final = 86_400
_GAUGE_LIMIT: Final = 500


@dataclass(frozen=True, slots=True)
class Stretch:
    """Name the time that is drawn, epoch seconds, and since when the store has kept everything."""

    since: float
    until: float
    known_since: float


@dataclass(frozen=True, slots=True)
class TrendPoint:
    """Hold what happened in ``[start, start + step)``; where nothing is covered nothing is known.

    Of queries there are no quantiles.
    """

    start: float
    covered_seconds: float
    requests: Figures
    queries: Figures
    tasks: Figures
    lookups: Lookups
    gauges: Mapping[tuple[str, series.Labels], Gauge]

    @property
    def is_known(self) -> bool:
        """Tell whether any bucket says something of this point."""
        return self.covered_seconds > 0 or self.requests.count > 0


@dataclass(frozen=True, slots=True)
class Trend:
    """Hold the points of ``stretch``, oldest first, and the deploys in it.

    ``is_folded`` when what was asked for may partly be among what is not counted apart.
    """

    stretch: Stretch
    step: int
    points: Sequence[TrendPoint]
    is_folded: bool
    deploys: Sequence[Deploy] = ()


def step_of(rows: Iterable[Row], *, seconds: float, asked: int | None) -> int:
    """Return the length of a point: as asked, but no finer than what is stored or can be drawn."""
    level = max((row.level for row in rows), default=0) or _STEPS[0]
    # An edge of the window cuts a point in two, so there is one more than fits.
    finest = max(seconds / (POINTS - 1), level)
    if asked is None:
        asked = next((step for step in _STEPS if step >= finest), _DAY)
    step = max(asked, finest)
    # A bucket must not straddle two points, or their heights would come from how it is cut.
    return math.ceil(step / level) * level


def trend(
    buckets: Sequence[tuple[Row, Digest]],
    stretch: Stretch,
    *,
    step: int,
    before: Merged,
) -> tuple[Trend, Merged]:
    """Return the points of ``stretch``, those without any bucket included.

    ``before`` are the points of an earlier trend; those of this one are returned beside it.
    """
    by_start: defaultdict[float, dict[int, Digest]] = defaultdict(dict)
    for row, digest in buckets:
        by_start[(row.start + row.end) / 2 // step * step][row.id] = digest
    covered = covered_seconds((row for row, _ in buckets), stretch, step=step)
    merged: Merged = {}
    points = []
    for start in starts_of(stretch, step=step):
        digests = by_start[start]
        ids = frozenset(digests)
        merged[ids] = before.get(ids) or _merge(list(digests.values()))
        points.append(TrendPoint(start, covered[start], *merged[ids]))
    is_folded = any(digest.is_folded for _, digest in buckets)
    return Trend(stretch, step, points, is_folded, deploys(buckets)), merged


def starts_of(stretch: Stretch, *, step: int) -> list[float]:
    """Return where the points of a stretch begin, epoch seconds."""
    first = stretch.since // step * step
    length = max(1, math.ceil((stretch.until - first) / step))
    return [first + number * step for number in range(length)]


def covered_seconds(
    rows: Iterable[Row], stretch: Stretch, *, step: int
) -> defaultdict[float, float]:
    """Return how many seconds of each point lie in a bucket, overlaps counted once."""
    covered: defaultdict[float, float] = defaultdict(float)
    reached = stretch.since
    for row in sorted(rows, key=lambda row: row.start):
        start, end = max(row.start, reached), min(row.end, stretch.until)
        while start < end:
            point = start // step * step
            stop = min(end, point + step)
            covered[point] += stop - start
            start = reached = stop
    return covered


def _merge(digests: Sequence[Digest]) -> Point:
    gauges: Gauges = {}
    for digest in digests:
        merge_into(gauges, digest.gauges, limit=_GAUGE_LIMIT)
    return Point(
        _figures([digest.requests for digest in digests]),
        _figures([digest.queries for digest in digests]),
        _figures([digest.tasks for digest in digests]),
        Lookups(
            sum(digest.lookups.hits for digest in digests),
            sum(digest.lookups.misses for digest in digests),
        ),
        gauges,
    )


def _figures(tallies: Sequence[Tally]) -> Figures:
    cell = Cell()
    bins = cell.bins
    for tally in tallies:
        cell.count += tally.count
        cell.errors += tally.errors
        cell.slow += tally.slow
        cell.queries += tally.queries
        cell.slow_queries += tally.slow_queries
        cell.maximum = max(cell.maximum, tally.maximum)
        for index, count in zip(tally.indexes, tally.counts, strict=True):
            try:
                bins[index] += count
            except KeyError:
                bins[index] = count
    return Figures(cell)
