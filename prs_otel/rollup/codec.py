"""Turn cells, samples and gauges into compact bytes and back, at zlib's fastest level.

Cells are packed into columns, and columns of equal figures compress to almost nothing: what a
series does not use costs nothing.
"""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from prs_otel.rollup import packed
from prs_otel.rollup.gauge import Gauge
from prs_otel.rollup.sample import Code, Sample

if TYPE_CHECKING:
    from prs_otel.rollup.cells import Cells
    from prs_otel.rollup.packed import Packed
    from prs_otel.rollup.series import Labels


class CodecError(ValueError):
    """Bytes that are not what this module wrote."""


def encode_cells(cells: Cells) -> bytes:
    """Return the bytes of ``cells``; ``b""`` when there is nothing in them."""
    payload = packed.pack(cells)
    return zlib.compress(payload, 1) if payload else b""


def read_cells(data: bytes) -> Packed:
    """Return the cells in ``data`` as they are stored; raises :class:`CodecError` if damaged."""
    if not data:
        return packed.EMPTY
    try:
        return packed.unpack(zlib.decompress(data))
    except (zlib.error, struct.error, ValueError, LookupError, TypeError) as error:
        raise CodecError(f"unreadable bucket: {error}") from error


def decode_cells(data: bytes, *, limit: int) -> Cells:
    """Return the cells in ``data``; raises :class:`CodecError` when it is damaged."""
    return read_cells(data).unpacked(limit)


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
