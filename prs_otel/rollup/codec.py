"""Turn cells, samples and gauges into compact bytes and back.

Cells are columnar: the labels as JSON, then one integer array per figure over all series, then the
histogram bins of all series back to back, compressed at zlib's fastest level. Columns of equal
figures compress to almost nothing, which is why unused figures cost nothing.
"""

from __future__ import annotations

import json
import struct
import sys
import zlib
from array import array
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

from prs_otel.rollup import series
from prs_otel.rollup.cell import Cell
from prs_otel.rollup.cells import Cells
from prs_otel.rollup.gauge import Gauge
from prs_otel.rollup.sample import Code, Sample

if TYPE_CHECKING:
    from prs_otel.rollup.series import Labels

_COLUMNS = (
    "count",
    "errors",
    "slow",
    "total",
    "maximum",
    "queries",
    "query_time",
    "findings",
)
_HEADER = struct.Struct("<I")
_LARGEST = 2**63 - 1


class CodecError(ValueError):
    """Bytes that are not what this module wrote."""


def encode_cells(cells: Cells) -> bytes:
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
    return zlib.compress(_HEADER.pack(len(text)) + text + columns, 1)


def decode_cells(data: bytes, *, limit: int) -> Cells:
    """Return the cells in ``data``; raises :class:`CodecError` when it is damaged."""
    cells = Cells(limit)
    if not data:
        return cells
    try:
        _decode_into(cells, zlib.decompress(data))
    except (zlib.error, struct.error, ValueError, LookupError, TypeError) as error:
        raise CodecError(f"unreadable bucket: {error}") from error
    return cells


def encode_samples(samples: Mapping[str, Sequence[Sample]]) -> bytes:
    """Return the bytes of the samples of every kind; ``b""`` when there are none."""
    rows = [_sample_row(sample) for of_kind in samples.values() for sample in of_kind]
    return (
        zlib.compress(json.dumps(rows, separators=(",", ":")).encode(), 1)
        if rows
        else b""
    )


def decode_samples(data: bytes) -> list[Sample]:
    """Return the samples in ``data``; raises :class:`CodecError` when it is damaged."""
    try:
        return [_sample(row) for row in _json(data)]
    except (ValueError, TypeError) as error:
        raise CodecError(f"unreadable samples: {error}") from error


def encode_gauges(gauges: Mapping[tuple[str, Labels], Gauge]) -> bytes:
    """Return the bytes of ``gauges``; ``b""`` when there are none."""
    rows = [
        [
            name,
            list(labels),
            gauge.count,
            gauge.total,
            gauge.maximum,
            gauge.last,
            gauge.at,
        ]
        for (name, labels), gauge in gauges.items()
    ]
    return (
        zlib.compress(json.dumps(rows, separators=(",", ":")).encode(), 1)
        if rows
        else b""
    )


def decode_gauges(data: bytes) -> dict[tuple[str, Labels], Gauge]:
    """Return the gauges in ``data``; raises :class:`CodecError` when it is damaged."""
    try:
        return {
            (name, tuple(labels)): Gauge(*figures)
            for name, labels, *figures in _json(data)
        }
    except (ValueError, TypeError) as error:
        raise CodecError(f"unreadable gauges: {error}") from error


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


def _decode_into(cells: Cells, payload: bytes) -> None:
    (length,) = _HEADER.unpack_from(payload)
    header = json.loads(payload[_HEADER.size : _HEADER.size + length])
    columns = _Columns(payload, _HEADER.size + length, header["byteorder"])
    names = [(kind, tuple(labels)) for kind, rows in header["kinds"] for labels in rows]
    figures = [columns.take("q", len(names)) for _ in _COLUMNS]
    sizes = columns.take("H", len(names))
    bins = zip(
        columns.take("H", sum(sizes)), columns.take("q", sum(sizes)), strict=True
    )
    for (kind, labels), size, *row in zip(names, sizes, *figures, strict=True):
        cells.by_kind.setdefault(kind, {})[labels] = _cell(
            row, dict(islice(bins, size))
        )
    for name, rows in header["counters"]:
        cells.counters[name] = {tuple(labels): amount for labels, amount in rows}


def _cell(row: Sequence[int], bins: dict[int, int]) -> Cell:
    cell = Cell()
    (
        cell.count,
        cell.errors,
        cell.slow,
        cell.total,
        cell.maximum,
        cell.queries,
        cell.query_time,
        cell.findings,
    ) = row
    cell.bins = bins
    return cell


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


def _json(data: bytes) -> list[list[Any]]:
    try:
        rows: list[list[Any]] = json.loads(zlib.decompress(data)) if data else []
    except zlib.error as error:
        raise ValueError(str(error)) from error
    return rows


def _sample_row(sample: Sample) -> list[object]:
    return [getattr(sample, field) for field in Sample.__slots__]


def _sample(row: list[Any]) -> Sample:
    sample = dict(zip(Sample.__slots__, row, strict=True))
    code = sample["code"]
    return Sample(**{**sample, "code": Code(*code) if code else None})
