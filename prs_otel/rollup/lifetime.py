"""What was counted since the store began, for who adds up by himself and must see nothing twice.

The leader adds each delta to it before compaction may merge that away. So at any moment the
whole is the lifetime plus the deltas that are not in it yet, whoever reads, and it never shrinks:
deltas are added in the order of their ids by everybody, so that each ends up in the same series.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from prs_otel.rollup import codec, salvage, series
from prs_otel.rollup.accumulator import blobs
from prs_otel.rollup.cell import Cell
from prs_otel.rollup.cells import Cells
from prs_otel.rollup.retention import DELTA

if TYPE_CHECKING:
    from prs_otel.plan import Plan
    from prs_otel.rollup.packed import Packed
    from prs_otel.rollup.series import Labels
    from prs_otel.store.base import Reader, Store

KINDS: Final = frozenset(
    (series.REQUEST, series.QUERY, series.ORGANIZATION, series.TASK, series.CACHE)
)
"""Users are left out, and statements: of neither does the number have a bound over years."""

Breathe = Callable[[], object]


@dataclass(frozen=True, slots=True)
class Lifetime:
    """Hold the figures up to the row ``up_to``; ``added`` are those that the stored one lacks."""

    up_to: int
    cells: Cells
    added: Sequence[int]


def fold(cells: Cells, packed: Packed) -> None:
    """Add a bucket to ``cells``: of queries each database, and no users."""
    nowhere = Cell()
    places = [place(kind, labels) for kind, labels in packed.names]
    packed.merge_cells([cells.cell(*each) if each else nowhere for each in places])
    packed.merge_counters_into(cells)


def place(kind: str, labels: Labels) -> tuple[str, Labels] | None:
    """Return where a series is counted, ``None`` for nowhere."""
    if kind not in KINDS:
        return None
    if kind == series.QUERY and labels != series.other(kind):
        return kind, (labels[0], "")
    return kind, labels


def counted(
    reader: Reader, *, limit: int, breathe: Breathe = lambda: None
) -> Lifetime | None:
    """Return all that was counted, up to ``limit`` series of a kind apart.

    ``None`` where buckets were merged that no lifetime has: the leader has to begin one.
    """
    rows = reader.rows()
    found = _stored(reader, limit)
    if found is None:
        if any(row.level > DELTA for row in rows):
            return None
        found = 0, Cells(limit)
    up_to, cells = found
    new = [row.id for row in rows if row.level == DELTA and row.id > up_to]
    return _with(reader, new, Lifetime(up_to, cells, ()), breathe)


def advance(
    store: Store, plan: Plan, *, epoch: int, breathe: Breathe = lambda: None
) -> float:
    """Add to the lifetime what came; return up to which row deltas may be merged.

    All of them where nobody asks for a lifetime. Raises ``StoreError``.
    """
    if not plan.keeps_lifetime:
        return math.inf
    with store.reading() as reader:
        known = reader.lifetime()
        found = counted(reader, limit=plan.series_limit, breathe=breathe)
        if found is None:
            found = _begun(reader, plan.series_limit, breathe)
    before = known[0] if known is not None else 0
    if not found.added:
        return before
    blob = codec.encode_cells(found.cells)
    is_written = store.write_lifetime(found.up_to, blob, epoch=epoch)
    return found.up_to if is_written else before


def _begun(reader: Reader, limit: int, breathe: Breathe) -> Lifetime:
    """Return the sum of all that is still there, however much was merged."""
    rows = [row.id for row in reader.rows()]
    return _with(reader, rows, Lifetime(0, Cells(limit), ()), breathe)


def _with(
    reader: Reader, ids: Sequence[int], lifetime: Lifetime, breathe: Breathe
) -> Lifetime:
    for _, blob in blobs(reader, ids):
        packed = salvage.cells(blob)
        if packed is not None:
            fold(lifetime.cells, packed)
        breathe()
    return Lifetime(max((lifetime.up_to, *ids)), lifetime.cells, ids)


def _stored(reader: Reader, limit: int) -> tuple[int, Cells] | None:
    found = reader.lifetime()
    packed = None if found is None else salvage.cells(found[1])
    if found is None or packed is None:
        return None
    return found[0], packed.unpacked(limit)
