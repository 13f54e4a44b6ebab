"""The cells of a bucket as columns: how they are stored, and how they are merged.

Columnar: the labels as JSON, then one integer array per figure over all series, then the
histogram bins of all series back to back. A reader that merges many buckets adds the columns to
its own cells as they are; to make cells of them first would cost it twice as much.
"""

from __future__ import annotations

import json
import struct
import sys
from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Final

from prs_otel.rollup import series
from prs_otel.rollup.cell import Cell
from prs_otel.rollup.cells import Cells

if TYPE_CHECKING:
    from prs_otel.rollup.series import Labels

_COLUMNS: Final = (
    "count",
    "errors",
    "slow",
    "total",
    "maximum",
    "queries",
    "slow_queries",
    "query_time",
    "findings",
    "redirected",
    "refused",
)
_HEADER: Final = struct.Struct("<I")
_LARGEST: Final = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Packed:
    """Hold one row per series: its name, its size in bins, and its place in every column."""

    names: Sequence[tuple[str, Labels]]
    figures: Mapping[str, array[int]]
    sizes: array[int]
    indexes: array[int]
    counts: array[int]
    counters: Sequence[tuple[str, Labels, int]]

    def merge_into(self, cells: Cells) -> None:
        """Add everything to ``cells``, which folds what exceeds its limit."""
        self.merge_counters_into(cells)
        self.merge_cells([cells.cell(kind, labels) for kind, labels in self.names])

    def merge_cells(self, targets: Sequence[Cell]) -> None:
        """Add each series to the cell in its place among the targets."""
        self._merge_bins(targets)
        for cell, maximum in zip(targets, self.figures["maximum"], strict=True):
            if maximum > cell.maximum:
                cell.maximum = maximum
        for name, column in self.figures.items():
            # Most figures of most buckets are nothing but zeros.
            if name != "maximum" and any(column):
                for cell, amount in zip(targets, column, strict=True):
                    setattr(cell, name, getattr(cell, name) + amount)

    def merge_counters_into(self, cells: Cells) -> None:
        """Add what is counted beside the series."""
        for name, labels, amount in self.counters:
            cells.count(name, labels, amount)

    def unpacked(self, limit: int) -> Cells:
        """Return cells with just these series, however many, that take new ones up to ``limit``."""
        cells = Cells(limit)
        made = [Cell() for _ in self.names]
        self._merge_bins(made)
        for name, column in self.figures.items():
            if any(column):
                for cell, amount in zip(made, column, strict=True):
                    setattr(cell, name, amount)
        for (kind, labels), cell in zip(self.names, made, strict=True):
            cells.by_kind.setdefault(kind, {})[labels] = cell
        for name, labels, amount in self.counters:
            cells.counters.setdefault(name, {})[labels] = amount
        return cells

    def _merge_bins(self, targets: Sequence[Cell]) -> None:
        pairs = zip(self.indexes, self.counts, strict=True)
        for cell, size in zip(targets, self.sizes, strict=True):
            bins = cell.bins
            if not bins:
                cell.bins = dict(islice(pairs, size))
                continue
            for index, count in islice(pairs, size):
                # Most bins are there already, and then this is the fastest way to add.
                try:
                    bins[index] += count
                except KeyError:
                    bins[index] = count


EMPTY: Final = Packed(
    names=(),
    figures={name: array("q") for name in _COLUMNS},
    sizes=array("H"),
    indexes=array("H"),
    counts=array("q"),
    counters=(),
)


def pack(cells: Cells) -> bytes:
    """Return the bytes of ``cells``; ``b""`` when there is nothing in them."""
    kinds = {kind: _present(kind, of_kind) for kind, of_kind in cells.by_kind.items()}
    counters = [
        [name, [[list(labels), amount] for labels, amount in counter.items() if amount]]
        for name, counter in cells.counters.items()
    ]
    if not any(kinds.values()) and not any(rows for _, rows in counters):
        return b""
    header = {
        "byteorder": sys.byteorder,
        "kinds": [
            [kind, [list(labels) for labels in of_kind]]
            for kind, of_kind in kinds.items()
        ],
        "counters": counters,
    }
    text = json.dumps(header, separators=(",", ":")).encode()
    columns = b"".join(
        _columns([cell for of_kind in kinds.values() for cell in of_kind.values()])
    )
    return _HEADER.pack(len(text)) + text + columns


def unpack(payload: bytes) -> Packed:
    """Return what :func:`pack` has packed.

    Raises ``ValueError``, ``LookupError``, ``TypeError`` or ``struct.error`` for anything else.
    """
    (length,) = _HEADER.unpack_from(payload)
    header = json.loads(payload[_HEADER.size : _HEADER.size + length])
    columns = _Columns(payload, _HEADER.size + length, header["byteorder"])
    names = [(kind, tuple(labels)) for kind, rows in header["kinds"] for labels in rows]
    figures = {name: columns.take("q", len(names)) for name in _COLUMNS}
    sizes = columns.take("H", len(names))
    bins = sum(sizes)
    return Packed(
        names=names,
        figures=figures,
        sizes=sizes,
        indexes=columns.take("H", bins),
        counts=columns.take("q", bins),
        counters=[
            (name, tuple(labels), amount)
            for name, rows in header["counters"]
            for labels, amount in rows
        ],
    )


def _present(kind: str, of_kind: Mapping[Labels, Cell]) -> Mapping[Labels, Cell]:
    # Beside what is folded, even an empty series holds a place that nobody else may take.
    if series.other(kind) in of_kind:
        return of_kind
    return {
        labels: cell for labels, cell in of_kind.items() if cell.count or cell.queries
    }


def _columns(cells: Sequence[Cell]) -> Iterator[bytes]:
    for column in _COLUMNS:
        yield _integers([getattr(cell, column) for cell in cells]).tobytes()
    yield array("H", [len(cell.bins) for cell in cells]).tobytes()
    yield array("H", [index for cell in cells for index in cell.bins]).tobytes()
    yield array(
        "q", [count for cell in cells for count in cell.bins.values()]
    ).tobytes()


def _integers(values: Sequence[int]) -> array[int]:
    try:
        return array("q", values)
    except OverflowError:
        # Sums of what a clock in the wrong century has measured.
        return array("q", [min(value, _LARGEST) for value in values])


class _Columns:
    """Read the arrays one after the other."""

    def __init__(self, payload: bytes, offset: int, byteorder: str) -> None:
        self._payload = payload
        self._offset = offset
        self._is_foreign = byteorder != sys.byteorder

    def take(self, typecode: str, length: int) -> array[int]:
        column: array[int] = array(typecode)
        end = self._offset + length * column.itemsize
        if end > len(self._payload):
            raise ValueError("cut short")
        column.frombytes(self._payload[self._offset : end])
        self._offset = end
        if self._is_foreign:
            column.byteswap()
        return column
