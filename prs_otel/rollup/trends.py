"""A window cut into points of equal length, for drawing.

A stored bucket counts in the point its middle falls in. What a point needs of a bucket is small,
and buckets never change; so a reader keeps these digests by the id of the bucket, and only
buckets that came since are decoded.
"""

from __future__ import annotations

import math
from array import array
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING, Final

from prs_otel.rollup import salvage, series
from prs_otel.rollup.cell import Cell
from prs_otel.rollup.figures import Figures
from prs_otel.rollup.gauge import Gauge, Gauges, merge_into

if TYPE_CHECKING:
    from prs_otel.rollup.packed import Packed
    from prs_otel.store.base import Reader, Row

POINTS: Final = 400
"""How many points an answer has at most."""

_STEPS: Final = (10, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 14_400, 43_200)
_DAY: Final = 86_400
_DIGESTS_KEPT: Final = 2_000
_TRENDS_KEPT: Final = 2
_GAUGE_LIMIT: Final = 500
_CHUNK: Final = 64


@dataclass(frozen=True, slots=True)
class Selection:
    """Say which requests are meant: all, those of an endpoint, or those of an organisation."""

    endpoint: str | None = None
    organization_id: str | None = None

    @property
    def request_kind(self) -> str:
        """Return the series that count the requests."""
        if self.organization_id is not None:
            return series.ORGANIZATION
        return series.REQUEST

    @property
    def query_kind(self) -> str | None:
        """Return the series that count their queries one by one; ``None`` if none does."""
        if self.organization_id is not None:
            return series.ORGANIZATION_QUERY
        return series.QUERY if self.endpoint is None else None

    @property
    def label(self) -> str | None:
        """Return the first label of the series that are meant, ``None`` for all of them."""
        return self.endpoint if self.organization_id is None else self.organization_id


@dataclass(frozen=True, slots=True)
class Tally:
    """The sum of some cells, at a fraction of the memory a cell takes."""

    count: int
    errors: int
    slow: int
    queries: int
    maximum: int
    indexes: array[int]
    counts: array[int]


@dataclass(frozen=True, slots=True)
class Digest:
    """What a bucket adds to the point it counts in."""

    requests: Tally
    queries: Tally
    gauges: Gauges
    is_folded: bool


@dataclass(frozen=True, slots=True)
class Stretch:
    """Name the time that is drawn, epoch seconds, and since when the store has kept everything."""

    since: float
    until: float
    known_since: float


Merged = dict[frozenset[int], tuple[Figures, Figures, Gauges]]
"""What the buckets of these ids are together."""


@dataclass(frozen=True, slots=True)
class TrendPoint:
    """Hold what happened in ``[start, start + step)``; where nothing is covered nothing is known.

    Of queries there are no quantiles.
    """

    start: float
    covered_seconds: float
    requests: Figures
    queries: Figures
    gauges: Mapping[tuple[str, series.Labels], Gauge]

    @property
    def is_known(self) -> bool:
        """Tell whether any bucket says something of this point."""
        return self.covered_seconds > 0 or self.requests.count > 0


@dataclass(frozen=True, slots=True)
class Trend:
    """Hold the points of ``stretch``, oldest first.

    ``is_folded`` when what was asked for may partly be among what is not counted apart.
    """

    stretch: Stretch
    step: int
    points: Sequence[TrendPoint]
    is_folded: bool


class Digests:
    """Keep the digests of the buckets read last. Not thread-safe."""

    def __init__(self, *, breathe: Callable[[], object]) -> None:
        self._breathe = breathe
        self._generation = ""
        self._kept: OrderedDict[tuple[int, Selection], Digest] = OrderedDict()
        self._merged: OrderedDict[Selection, Merged] = OrderedDict()

    def __len__(self) -> int:
        return len(self._kept)

    def clear(self) -> None:
        """Forget everything."""
        self._kept.clear()
        self._merged.clear()

    def of(
        self, reader: Reader, ids: Iterable[int], selection: Selection
    ) -> dict[int, Digest]:
        """Return the digests of these buckets, reading those that are not known yet."""
        if reader.generation != self._generation:
            self.clear()
            self._generation = reader.generation
        found: dict[int, Digest] = {}
        unknown: list[int] = []
        for row_id in ids:
            digest = self._kept.get((row_id, selection))
            if digest is None:
                unknown.append(row_id)
            else:
                found[row_id] = digest
                self._kept.move_to_end((row_id, selection))
        found.update(self._read(reader, unknown, selection))
        return found

    def merged(self, selection: Selection) -> Merged:
        """Return the points of the selection's last trend, to be replaced by the next one's."""
        found = self._merged.setdefault(selection, {})
        self._merged.move_to_end(selection)
        if len(self._merged) > _TRENDS_KEPT:
            self._merged.popitem(last=False)
        return found

    def _read(
        self, reader: Reader, ids: Sequence[int], selection: Selection
    ) -> dict[int, Digest]:
        found: dict[int, Digest] = {}
        for first in range(0, len(ids), _CHUNK):
            chunk = ids[first : first + _CHUNK]
            gauges = reader.read("gauges", chunk)
            for row_id, blob in reader.read("cells", chunk).items():
                found[row_id] = _digest(blob, gauges.get(row_id, b""), selection)
                self._keep((row_id, selection), found[row_id])
                self._breathe()
        return found

    def _keep(self, key: tuple[int, Selection], digest: Digest) -> None:
        self._kept[key] = digest
        if len(self._kept) > _DIGESTS_KEPT:
            self._kept.popitem(last=False)


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
    merged: Merged,
) -> Trend:
    """Return the points of ``stretch``, those without any bucket included.

    ``merged`` are the points of an earlier trend; it is left with those of this one.
    """
    by_start: defaultdict[float, dict[int, Digest]] = defaultdict(dict)
    for row, digest in buckets:
        by_start[(row.start + row.end) / 2 // step * step][row.id] = digest
    first = stretch.since // step * step
    length = max(1, math.ceil((stretch.until - first) / step))
    covered = _covered((row for row, _ in buckets), stretch, step=step)
    before = dict(merged)
    merged.clear()
    points = []
    for start in (first + number * step for number in range(length)):
        digests = by_start[start]
        ids = frozenset(digests)
        merged[ids] = before.get(ids) or _merge(list(digests.values()))
        points.append(TrendPoint(start, covered[start], *merged[ids]))
    is_folded = any(digest.is_folded for _, digest in buckets)
    return Trend(stretch, step, points, is_folded)


def _digest(cells: bytes, gauges: bytes, selection: Selection) -> Digest:
    packed = salvage.cells(cells)
    readings = salvage.gauges(gauges)
    if packed is None:
        return Digest(_EMPTY, _EMPTY, readings, is_folded=True)
    kind = selection.request_kind
    is_folded = (
        selection.label is not None and (kind, series.other(kind)) in packed.names
    )
    return Digest(
        _tally(packed, kind, selection.label),
        # Their quantiles are not drawn, and would double what there is to merge.
        replace(
            _tally(packed, selection.query_kind, selection.label),
            indexes=_EMPTY.indexes,
            counts=_EMPTY.counts,
        ),
        readings,
        is_folded,
    )


def _tally(packed: Packed, kind: str | None, label: str | None) -> Tally:
    chosen = [
        each == kind and label in (None, labels[0]) for each, labels in packed.names
    ]
    bins: defaultdict[int, int] = defaultdict(int)
    pairs = zip(packed.indexes, packed.counts, strict=True)
    for is_chosen, size in zip(chosen, packed.sizes, strict=True):
        of_one = islice(pairs, size)
        if is_chosen:
            for index, count in of_one:
                bins[index] += count
        else:
            next(islice(of_one, size, size), None)
    figures = {
        name: [
            each for each, is_chosen in zip(column, chosen, strict=True) if is_chosen
        ]
        for name, column in packed.figures.items()
    }
    return Tally(
        count=sum(figures["count"]),
        errors=sum(figures["errors"]),
        slow=sum(figures["slow"]),
        queries=sum(figures["queries"]),
        maximum=max(figures["maximum"], default=0),
        indexes=array("H", bins),
        counts=array("q", bins.values()),
    )


_EMPTY: Final = Tally(0, 0, 0, 0, 0, array("H"), array("q"))


def _covered(
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


def _merge(digests: Sequence[Digest]) -> tuple[Figures, Figures, Gauges]:
    gauges: Gauges = {}
    for digest in digests:
        merge_into(gauges, digest.gauges, limit=_GAUGE_LIMIT)
    return (
        _figures([digest.requests for digest in digests]),
        _figures([digest.queries for digest in digests]),
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
        cell.maximum = max(cell.maximum, tally.maximum)
        for index, count in zip(tally.indexes, tally.counts, strict=True):
            try:
                bins[index] += count
            except KeyError:
                bins[index] = count
    return Figures(cell)
