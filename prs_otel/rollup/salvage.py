"""Decode what a store holds, leaving out what is damaged.

A damaged bucket is lost either way: refusing to go on without it would stop every read and every
compaction for as long as it is kept. Each one is logged.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from prs_otel.rollup import codec

if TYPE_CHECKING:
    from prs_otel.rollup.gauge import Gauges
    from prs_otel.rollup.packed import Packed
    from prs_otel.rollup.sample import Sample

_logger = logging.getLogger("prs_otel")


def cells(data: bytes) -> Packed | None:
    """Return the cells in ``data``, ``None`` when it is damaged."""
    try:
        return codec.read_cells(data)
    except codec.CodecError as error:
        _logger.warning("A stored bucket is left out: %s", error)
        return None


def samples(data: bytes) -> list[Sample]:
    """Return the samples in ``data``, none when it is damaged."""
    try:
        return codec.decode_samples(data)
    except codec.CodecError as error:
        _logger.warning("Stored samples are left out: %s", error)
        return []


def gauges(data: bytes) -> Gauges:
    """Return the gauges in ``data``, none when it is damaged."""
    try:
        return codec.decode_gauges(data)
    except codec.CodecError as error:
        _logger.warning("Stored gauges are left out: %s", error)
        return {}
