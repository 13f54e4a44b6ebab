"""The moment before which nothing counts any more; a document that every worker watches.

What a worker counted before it may arrive later, so each append is judged by its time. A delta
that began before the moment goes as a whole: nobody can tell which part of it came after.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from prs_otel.store.base import Bucket

DOCUMENT: Final = "reset"
_CLOCK_JUMP: Final = 60.0
"""Seconds by which an append may seem to precede the moment, as one that waited for it does."""


def encode(at: float) -> bytes:
    """Return the moment, epoch seconds, as it is kept."""
    return repr(at).encode()


def decode(document: bytes | None) -> float:
    """Return the moment, 0 where there was none or nobody can read it."""
    try:
        at = float(document or b"0")
    except ValueError:
        return 0.0
    return at if math.isfinite(at) else 0.0


def latest(at: float, *, known: float) -> float:
    """Return the later of two moments, unless a clock was set back after the known one."""
    return known if at < known <= at + _CLOCK_JUMP else at


def is_cut(bucket: Bucket, *, at: float, seen_at: float) -> bool:
    """Tell whether a delta that arrives by `seen_at` has something from before `at`.

    A clock that was set back since makes everything look old, and cuts nothing.
    """
    return bucket.start < at <= seen_at + _CLOCK_JUMP
