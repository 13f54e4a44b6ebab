"""Decide which stored buckets are merged into coarser ones as they age, and which expire.

Every observation lies in exactly one stored bucket, so merging moves it: ten seconds wide for ten
minutes, a minute for two hours, five minutes for a day, an hour up to the retention.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from prs_otel.store.base import Row

DELTA = 0
LEVELS = (10, 60, 300, 3600)
_KEEP_FOR = {10: 600.0, 60: 7_200.0, 300: 86_400.0}

LATE_AFTER = 10.0
"""Seconds a ten-second bucket stays open after its end for workers that flush late."""

_SLACK = 3_600.0
"""Seconds a bucket outlives the retention, so that readers can still subtract it from a window."""


@dataclass(frozen=True, slots=True)
class Merge:
    """Replace the buckets ``ids`` by one of ``level`` that begins at ``start``."""

    level: int
    start: float
    ids: tuple[int, ...]


def plan(
    rows: Iterable[Row], *, now: float, late_after: float = LATE_AFTER
) -> list[Merge]:
    """Return the merges that are due, finest first.

    ``late_after`` is how many seconds after the end of a slot the last of its deltas arrives.
    """
    groups: dict[tuple[int, float], list[Row]] = {}
    for row in rows:
        level = _level_due(row, now, late_after)
        groups.setdefault((level, _slot(row, level)), []).append(row)
    return [
        Merge(level, start, tuple(row.id for row in group))
        for (level, start), group in sorted(groups.items(), key=lambda item: item[0])
        if level != DELTA and (len(group) > 1 or group[0].level != level)
    ]


def expired(rows: Iterable[Row], *, now: float, retention: float) -> list[int]:
    """Return the ids of the buckets that nobody may ask for any more."""
    return [row.id for row in rows if row.end < now - retention - _SLACK]


def _level_due(row: Row, now: float, late_after: float) -> int:
    """Return the level at which a bucket of this age is kept, never a finer one than it has."""
    due = DELTA
    for finer, coarser in _steps():
        slot_end = _slot(row, coarser) + coarser
        if now - slot_end >= (late_after if finer == DELTA else _KEEP_FOR[finer]):
            due = coarser
    return max(due, row.level)


def _steps() -> Iterator[tuple[int, int]]:
    yield from zip((DELTA, *LEVELS[:-1]), LEVELS, strict=True)


def _slot(row: Row, level: int) -> float:
    """Return the start of the slot of ``level`` that holds the middle of the bucket."""
    if level == DELTA:
        return float(row.id)
    return (row.start + row.end) / 2 // level * level
