"""Refuse what no store should keep, before any of them is asked to."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from prs_otel.store.base import Beat, Bucket

SMALLEST_QUOTA: Final = 1_000_000
_LATEST: Final = 253_402_300_800.0  # the year 10000: beyond it, a clock is broken
_LONGEST: Final = 366 * 86_400  # seconds: wider than any bucket


def check_bucket(bucket: Bucket) -> None:
    """Raise `ValueError` for a bucket whose place in time makes no sense."""
    if not 0 <= bucket.level <= _LONGEST:
        message = f"a bucket cannot be {bucket.level} seconds wide"
        raise ValueError(message)
    _check_times(bucket.start, bucket.end)
    if bucket.end < bucket.start:
        message = f"a bucket cannot end at {bucket.end} and start at {bucket.start}"
        raise ValueError(message)


def check_append(worker: str, sequence: int, beat: Beat) -> None:
    """Raise `ValueError` for an append that could not be recognised when repeated."""
    _check_times(beat.started_at, beat.seen_at)
    if beat.worker != worker or sequence < 0:
        message = f"append {sequence} of {worker!r} carries a beat of {beat.worker!r}"
        raise ValueError(message)


def check_quota(quota_bytes: int) -> int:
    """Return the quota, or raise `ValueError` where nothing useful would fit."""
    if quota_bytes < SMALLEST_QUOTA:
        message = f"a store needs at least {SMALLEST_QUOTA} bytes, not {quota_bytes}"
        raise ValueError(message)
    return quota_bytes


def encodable(text: str) -> str:
    """Return the text with lone surrogates escaped: no store could keep them."""
    return text.encode("utf-8", "backslashreplace").decode()


def _check_times(*times: float) -> None:
    for time in times:
        if not math.isfinite(time) or not 0 <= time < _LATEST:
            message = f"{time} is not a time in seconds since 1970"
            raise ValueError(message)
