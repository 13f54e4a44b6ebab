"""What a time series needs of a stored bucket, which is a small part of it."""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import TYPE_CHECKING, Final, NamedTuple

from prs_otel.rollup import salvage, series

if TYPE_CHECKING:
    from prs_otel.rollup.figures import Figures
    from prs_otel.rollup.gauge import Gauges
    from prs_otel.rollup.packed import Packed
    from prs_otel.store.base import Reader

Merged = dict[frozenset[int], "Point"]
"""What the buckets of these ids are together."""


class Lookups(NamedTuple):
    """Count the keys that caches were asked for, by whether they had them."""

    hits: int
    misses: int


class Point(NamedTuple):
    """Hold the sums of what lies in one point of a trend."""

    requests: Figures
    queries: Figures
    tasks: Figures
    lookups: Lookups
    gauges: Gauges


class Stored(NamedTuple):
    """The parts of a bucket that a digest is made of."""

    cells: bytes
    totals: bytes
    gauges: bytes


@dataclass(frozen=True, slots=True)
class Selection:
    """Say which requests are meant: all, those of an endpoint, or those of an organisation."""

    endpoint: str | None = None
    organization_id: str | None = None

    @property
    def is_everything(self) -> bool:
        """Tell whether all requests are meant."""
        return self.endpoint is None and self.organization_id is None

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

    def read(self, reader: Reader, ids: Sequence[int]) -> dict[int, Stored]:
        """Return what is needed of each bucket that still exists, as it is stored."""
        gauges = reader.read("gauges", ids)
        if not self.is_everything:
            cells = reader.read("cells", ids)
            return {
                each: Stored(cells[each], b"", gauges.get(each, b"")) for each in cells
            }
        totals = reader.read("totals", ids)
        # Without totals a bucket has no series of these kinds, or none that could be read.
        cells = reader.read("cells", [each for each in totals if not totals[each]])
        return {
            each: Stored(cells.get(each, b""), totals[each], gauges.get(each, b""))
            for each in totals
        }

    def digest(self, stored: Stored) -> Digest:
        """Return what a bucket adds to the point it counts in."""
        packed = salvage.cells(stored.totals or stored.cells)
        readings = salvage.gauges(stored.gauges)
        if packed is None:
            return Digest(
                _EMPTY, _EMPTY, _EMPTY, Lookups(0, 0), readings, is_folded=True
            )
        kind, label = self.request_kind, self.label
        return Digest(
            _tally(packed, kind, label),
            # Their quantiles are not drawn, and would double what there is to merge.
            replace(
                _tally(packed, self.query_kind, label),
                indexes=_EMPTY.indexes,
                counts=_EMPTY.counts,
            ),
            _tally(packed, series.TASK if self.is_everything else None, label),
            Lookups(
                _counted(packed, series.CACHE_HITS),
                _counted(packed, series.CACHE_MISSES),
            ),
            readings,
            label is not None and (kind, series.other(kind)) in packed.names,
        )


@dataclass(frozen=True, slots=True)
class Tally:
    """The sum of some cells, at a fraction of the memory a cell takes."""

    count: int
    errors: int
    slow: int
    queries: int
    slow_queries: int
    maximum: int
    indexes: array[int]
    counts: array[int]


@dataclass(frozen=True, slots=True)
class Digest:
    """What a bucket adds to the point it counts in."""

    requests: Tally
    queries: Tally
    tasks: Tally
    lookups: Lookups
    gauges: Gauges
    is_folded: bool


_EMPTY: Final = Tally(0, 0, 0, 0, 0, 0, array("H"), array("q"))


def _counted(packed: Packed, counter: str) -> int:
    return sum(amount for name, _, amount in packed.counters if name == counter)


def _tally(packed: Packed, kind: str | None, label: str | None) -> Tally:
    chosen = [
        number
        for number, (each, labels) in enumerate(packed.names)
        if each == kind and (label is None or label == labels[0])
    ]
    if not chosen:
        return _EMPTY
    indexes, counts = _bins(packed, chosen)

    def of(name: str) -> list[int]:
        column = packed.figures[name]
        return [column[number] for number in chosen]

    return Tally(
        count=sum(of("count")),
        errors=sum(of("errors")),
        slow=sum(of("slow")),
        queries=sum(of("queries")),
        slow_queries=sum(of("slow_queries")),
        maximum=max(of("maximum")),
        indexes=indexes,
        counts=counts,
    )


def _bins(packed: Packed, chosen: Sequence[int]) -> tuple[array[int], array[int]]:
    """Return the sum of some histograms, as columns."""
    ends = list(accumulate(packed.sizes))
    stretches = [slice(ends[each] - packed.sizes[each], ends[each]) for each in chosen]
    if len(stretches) == 1:
        return packed.indexes[stretches[0]], packed.counts[stretches[0]]
    bins: defaultdict[int, int] = defaultdict(int)
    for stretch in stretches:
        pairs = zip(packed.indexes[stretch], packed.counts[stretch], strict=True)
        for index, count in pairs:
            bins[index] += count
    return array("H", bins), array("q", bins.values())
