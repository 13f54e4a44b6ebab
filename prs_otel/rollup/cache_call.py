"""What one call of a cache adds to the figures of its alias and operation."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from prs_otel.rollup import series

if TYPE_CHECKING:
    from prs_otel.rollup.cells import Cells
    from prs_otel.rollup.series import Labels


class CacheCall(NamedTuple):
    """One call: nanoseconds it took, keys it found and did not find, and whether it failed."""

    duration: int
    hits: int
    misses: int
    is_error: bool


def fold(cells: Cells, labels: Labels, call: CacheCall) -> None:
    """Count a call under its labels (alias, operation), its keys under the alias."""
    duration, hits, misses, is_error = call
    # Runs for every call: what is usual is tried first, and costs no call.
    try:
        cell = cells.by_kind[series.CACHE][labels]
    except KeyError:
        cell = cells.cell(series.CACHE, labels)
    cell.observe(duration, is_error=is_error)
    if hits:
        cells.count(series.CACHE_HITS, labels[:1], hits)
    if misses:
        cells.count(series.CACHE_MISSES, labels[:1], misses)
