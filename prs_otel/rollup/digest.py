"""What a time series needs of a stored bucket, which is a small part of it.

Buckets never change, so a reader keeps their digests by id, and only buckets that came since are
decoded.
"""

from __future__ import annotations

from array import array
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import TYPE_CHECKING, Final, NamedTuple

from prs_otel.rollup import salvage, series

if TYPE_CHECKING:
    from _thread import LockType
    from contextlib import AbstractContextManager

    from prs_otel.rollup.figures import Figures
    from prs_otel.rollup.gauge import Gauges
    from prs_otel.rollup.packed import Packed
    from prs_otel.store.base import Reader

    Reading = Callable[[], AbstractContextManager[Reader]]

_DIGESTS_KEPT: Final = 2_000
_TRENDS_KEPT: Final = 2
_CHUNK: Final = 64
_BREATHE_AFTER: Final = 4
"""Buckets read at a stretch, which takes a few milliseconds at most."""

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


class Listing(NamedTuple):
    """Name the buckets that a store holds at one moment."""

    generation: str
    ids: Collection[int]


class _Stored(NamedTuple):
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


class Digests:
    """Keep the digests of the buckets read last. Thread-safe, and quick to let others pass."""

    def __init__(
        self, *, new_lock: Callable[[], LockType], breathe: Callable[[], object]
    ) -> None:
        self._breathe = breathe
        # Protects the tables, never while a bucket is read.
        self._lock = new_lock()
        self._generation = ""
        self._kept: OrderedDict[tuple[int, Selection], Digest] = OrderedDict()
        self._merged: OrderedDict[Selection, Merged] = OrderedDict()

    def __len__(self) -> int:
        return len(self._kept)

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._kept.clear()
            self._merged.clear()

    def of(
        self, listing: Listing, selection: Selection, reading: Reading
    ) -> dict[int, Digest] | None:
        """Return the digests of these buckets, `None` when some of them have gone meanwhile.

        Those not known yet are read in portions, each in a snapshot of its own, so that nobody
        waits long for the store.
        """
        found, unknown = self._known(listing, selection)
        for first in range(0, len(unknown), _CHUNK):
            chunk = unknown[first : first + _CHUNK]
            with reading() as reader:
                if reader.generation != listing.generation:
                    return None
                stored = _read(reader, chunk, selection)
            if len(stored) < len(chunk):
                return None
            for row_id, parts in stored.items():
                found[row_id] = _digest(parts, selection)
                self._keep((row_id, selection), found[row_id], listing.generation)
                if len(found) % _BREATHE_AFTER == 0:
                    self._breathe()
        return found

    def merged(self, listing: Listing, selection: Selection) -> Merged:
        """Return the points of the selection's last trend."""
        with self._lock:
            is_current = listing.generation == self._generation
            return self._merged.get(selection, {}) if is_current else {}

    def keep_merged(
        self, listing: Listing, selection: Selection, merged: Merged
    ) -> None:
        """Keep the points of a trend for the next one of the same selection."""
        with self._lock:
            if listing.generation != self._generation:
                return
            self._merged[selection] = merged
            self._merged.move_to_end(selection)
            if len(self._merged) > _TRENDS_KEPT:
                self._merged.popitem(last=False)

    def _known(
        self, listing: Listing, selection: Selection
    ) -> tuple[dict[int, Digest], list[int]]:
        found: dict[int, Digest] = {}
        unknown: list[int] = []
        with self._lock:
            if listing.generation != self._generation:
                self._kept.clear()
                self._merged.clear()
                self._generation = listing.generation
            for row_id in listing.ids:
                digest = self._kept.get((row_id, selection))
                if digest is None:
                    unknown.append(row_id)
                else:
                    found[row_id] = digest
                    self._kept.move_to_end((row_id, selection))
        return found, unknown

    def _keep(
        self, key: tuple[int, Selection], digest: Digest, generation: str
    ) -> None:
        with self._lock:
            if generation == self._generation:
                self._kept[key] = digest
                if len(self._kept) > _DIGESTS_KEPT:
                    self._kept.popitem(last=False)


def _read(
    reader: Reader, ids: Sequence[int], selection: Selection
) -> dict[int, _Stored]:
    """Return what is needed of each bucket that still exists, as it is stored."""
    gauges = reader.read("gauges", ids)
    if not selection.is_everything:
        cells = reader.read("cells", ids)
        return {
            each: _Stored(cells[each], b"", gauges.get(each, b"")) for each in cells
        }
    totals = reader.read("totals", ids)
    # Without totals a bucket has no series of these kinds, or none that could be read.
    cells = reader.read("cells", [each for each in totals if not totals[each]])
    return {
        each: _Stored(cells.get(each, b""), totals[each], gauges.get(each, b""))
        for each in totals
    }


def _digest(stored: _Stored, selection: Selection) -> Digest:
    packed = salvage.cells(stored.totals or stored.cells)
    readings = salvage.gauges(stored.gauges)
    if packed is None:
        return Digest(_EMPTY, _EMPTY, _EMPTY, Lookups(0, 0), readings, is_folded=True)
    kind, label = selection.request_kind, selection.label
    return Digest(
        _tally(packed, kind, label),
        # Their quantiles are not drawn, and would double what there is to merge.
        replace(
            _tally(packed, selection.query_kind, label),
            indexes=_EMPTY.indexes,
            counts=_EMPTY.counts,
        ),
        _tally(packed, series.TASK if selection.is_everything else None, label),
        Lookups(
            _counted(packed, series.CACHE_HITS), _counted(packed, series.CACHE_MISSES)
        ),
        readings,
        label is not None and (kind, series.other(kind)) in packed.names,
    )


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
