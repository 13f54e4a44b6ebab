"""The running merge of all stored buckets in one sliding window.

Merging a day from scratch costs over a second, so a reader keeps the merge and moves it
along: buckets that came are added, buckets that slid out are subtracted, and buckets that
compaction replaced by their merge are exchanged by name without touching a figure. Integer
arithmetic makes that exact. When the history cannot be followed (evicted buckets, a
replacement missed) the merge is begun anew, from the leader's rolling total where that
covers the window.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from prs_otel.rollup import codec, salvage
from prs_otel.rollup.cells import Cells
from prs_otel.rollup.retention import DELTA

if TYPE_CHECKING:
    from prs_otel.rollup.compaction import Replacement
    from prs_otel.store.base import Reader, Row

_CHUNK = 64
"""Buckets read at a time, which bounds what a rebuild holds in memory."""


class Accumulator:
    """Hold the merged cells of the last ``seconds``. Not thread-safe.

    Only rows of ``level`` or coarser are merged. ``breathe`` is called between two rows,
    so that a long merge lets other threads run.
    """

    def __init__(
        self,
        seconds: float,
        *,
        series_limit: int,
        breathe: Callable[[], object],
        level: int = DELTA,
    ) -> None:
        self.seconds = seconds
        self._level = level
        self._series_limit = series_limit
        self._breathe = breathe
        self._generation = ""
        self.begin()

    def begin(self) -> None:
        """Forget everything."""
        self.cells = Cells(self._series_limit)
        self.included: set[int] = set()
        # A delta is merged with others of its slot, of which some come later: until then
        # its bytes are kept, because it may have to be taken away by itself.
        self._deltas: dict[int, bytes] = {}

    def refresh(self, reader: Reader, rows: Mapping[int, Row], *, now: float) -> None:
        """Bring the merge up to ``now`` from one consistent snapshot."""
        wanted = self.slide(reader, rows, now=now)
        if not self.included:
            self._start_from_rolling(reader, rows, wanted)
        self._add(reader, wanted, wanted.keys() - self.included)

    def slide(
        self, reader: Reader, rows: Mapping[int, Row], *, now: float
    ) -> dict[int, Row]:
        """Take away what has left the window by ``now``; return the rows that are in it."""
        self._exchange_replaced(rows)
        if reader.generation != self._generation or not rows.keys() >= self.included:
            self.begin()
            self._generation = reader.generation
        wanted = wanted_rows(
            rows.values(), seconds=self.seconds, now=now, level=self._level
        )
        self._subtract(reader, self.included - wanted.keys())
        return wanted

    def exchange(self, replacement: Replacement) -> None:
        """Follow a replacement of this process's own, whether or not it kept the series."""
        if replacement.is_partial or not self.included.issuperset(replacement.old):
            return
        if not replacement.keeps_series:
            self.cells.subtract(replacement.before)
            self.cells.merge(replacement.after)
        self._forget(replacement.old)
        self.included.add(replacement.new)

    def _exchange_replaced(self, rows: Mapping[int, Row]) -> None:
        for row_id in sorted(rows.keys() - self.included):
            replaced = self.included.intersection(rows[row_id].replaces)
            if not replaced:
                continue
            if len(replaced) == len(rows[row_id].replaces):
                self._forget(replaced)
                self.included.add(row_id)
            elif self._deltas.keys() >= replaced:
                for delta in replaced:
                    self.cells.subtract(self._delta(delta))
                self._forget(replaced)

    def _start_from_rolling(
        self, reader: Reader, rows: Mapping[int, Row], wanted: Mapping[int, Row]
    ) -> None:
        rolling = reader.rolling()
        if rolling is None:
            return
        self.included = set(rolling[0])
        self._exchange_replaced(rows)
        foreign = self.included - wanted.keys()
        is_near = len(foreign) < len(self.included) / 2
        total = self._decoded(rolling[1]) if is_near else None
        if total is not None and self.included <= rows.keys():
            self.cells = total
            self._subtract(reader, foreign)
        else:
            self.begin()

    def _add(
        self, reader: Reader, wanted: Mapping[int, Row], ids: Iterable[int]
    ) -> None:
        # Each row is marked as soon as it is merged: a read that fails half-way must not
        # let the next one count the first half again.
        for row_id, blob in blobs(reader, ids):
            packed = salvage.cells(blob)
            if packed is not None:
                packed.merge_into(self.cells)
                if wanted[row_id].level == DELTA:
                    self._deltas[row_id] = blob
            self.included.add(row_id)
            self._breathe()

    def _subtract(self, reader: Reader, ids: Iterable[int]) -> None:
        for row_id, blob in blobs(reader, ids):
            cells = self._decoded(blob)
            if cells is None:
                # Damaged since it was merged: nobody knows any more what that was.
                self.begin()
                return
            self.cells.subtract(cells)
            self._forget((row_id,))
            self._breathe()

    def _forget(self, ids: Iterable[int]) -> None:
        for row_id in tuple(ids):
            self.included.discard(row_id)
            self._deltas.pop(row_id, None)

    def _delta(self, row_id: int) -> Cells:
        return codec.decode_cells(self._deltas[row_id], limit=self._series_limit)

    def _decoded(self, blob: bytes) -> Cells | None:
        packed = salvage.cells(blob)
        return None if packed is None else packed.unpacked(self._series_limit)


def wanted_rows(
    rows: Iterable[Row], *, seconds: float, now: float, level: int = DELTA
) -> dict[int, Row]:
    """Return the rows of the window; a row cut by an edge of it belongs if its middle does."""
    since = now - seconds
    return {
        row.id: row
        for row in rows
        if row.level >= level and since <= (row.start + row.end) / 2 <= now
    }


def blobs(reader: Reader, ids: Iterable[int]) -> Iterator[tuple[int, bytes]]:
    """Yield rows by id, each with its cells, of few at a time."""
    ordered = sorted(ids)
    for first in range(0, len(ordered), _CHUNK):
        yield from reader.read("cells", ordered[first : first + _CHUNK]).items()
