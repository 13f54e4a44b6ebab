"""The bins of a sketch as the buckets of a histogram. Pure.

Each bin counts as its middle, whatever else is in the histogram, so a bucket only ever grows.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping
from itertools import accumulate
from typing import Final

from prs_otel.derived.catalog import BOUNDARIES
from prs_otel.rollup import sketch

_NS: Final = 1e9


def cumulative(bins: Mapping[int, int]) -> list[int]:
    """Return how many durations are within each of the boundaries, and last how many in all."""
    counts = [0] * (len(BOUNDARIES) + 1)
    for index, count in bins.items():
        counts[bisect_left(_LAST_BINS, index)] += count
    return list(accumulate(counts))


def bucket_of(seconds: float) -> int:
    """Return the place of the smallest bucket that a duration is in."""
    return bisect_left(BOUNDARIES, seconds)


def _last_bin(boundary: float) -> int:
    """Return the highest bin whose middle is within a boundary (seconds)."""
    index = sketch.index_of(round(boundary * _NS))
    middle = sum(sketch.bounds_of(index)) / 2
    return index if middle <= boundary * _NS else index - 1


_LAST_BINS: Final = tuple(map(_last_bin, BOUNDARIES))
