"""What a time series needs of a stored bucket, which is a small part of it.

Buckets never change, so a reader keeps their digests by id, and only buckets that came since are
decoded.
"""

from __future__ import annotations

from array import array
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING, Final

from prs_otel.rollup import salvage, series
from prs_otel.rollup.figures import Figures
from prs_otel.rollup.gauge import Gauges

if TYPE_CHECKING:
    from prs_otel.rollup.packed import Packed
    from prs_otel.store.base import Reader

_DIGESTS_KEPT: Final = 2_000
_TRENDS_KEPT: Final = 2
_CHUNK: Final = 64

Merged = dict[frozenset[int], tuple[Figures, Figures, Gauges]]
"""What the buckets of these ids are together."""


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


_EMPTY: Final = Tally(0, 0, 0, 0, 0, array("H"), array("q"))


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
