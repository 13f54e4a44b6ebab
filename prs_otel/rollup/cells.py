"""All series of a stretch of time, capped per kind so that their parts always sum to the total."""

from __future__ import annotations

from collections.abc import Mapping

from prs_otel.rollup import series
from prs_otel.rollup.cell import Cell
from prs_otel.rollup.series import Labels

Counters = dict[str, dict[Labels, int]]


class Cells:
    """Hold the cells of every kind, and plain counters beside them.

    At most ``limit`` series of a kind are kept apart; what exceeds that is folded into the series
    ``__other__`` of the kind and counted in ``folded``. A series once folded stays folded until
    ``__other__`` is empty again, which is what makes :meth:`subtract` exact.
    Not thread-safe.
    """

    __slots__ = ("by_kind", "counters", "folded", "limit")

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.folded = 0
        self.by_kind: dict[str, dict[Labels, Cell]] = {}
        self.counters: Counters = {}

    def cell(self, kind: str, labels: Labels) -> Cell:
        """Return the cell of a series, made when it is new, ``__other__`` when the kind is full."""
        cells = self.by_kind.setdefault(kind, {})
        cell = cells.get(labels)
        if cell is not None:
            return cell
        if len(cells) >= self.limit:
            labels = series.other(kind)
            self.folded += 1
        return cells.setdefault(labels, Cell())

    def count(self, name: str, labels: Labels, amount: int) -> None:
        """Add ``amount`` to a counter."""
        counter = self.counters.setdefault(name, {})
        if labels not in counter and len(counter) >= self.limit:
            labels = (series.OTHER,) * len(labels)
        counter[labels] = counter.get(labels, 0) + amount

    def merge(self, other: Cells) -> None:
        """Add everything ``other`` holds."""
        for kind, cells in other.by_kind.items():
            for labels, cell in cells.items():
                self.cell(kind, labels).merge(cell)
        for name, counter in other.counters.items():
            for labels, amount in counter.items():
                self.count(name, labels, amount)

    def subtract(self, other: Cells) -> None:
        """Take away what was merged before; series that are left with nothing disappear."""
        for kind, cells in other.by_kind.items():
            mine = self.by_kind.setdefault(kind, {})
            for labels, cell in cells.items():
                self._subtract_cell(mine, kind, labels, cell)
        for name, counter in other.counters.items():
            for labels, amount in counter.items():
                self.count(name, labels, -amount)

    def is_empty(self) -> bool:
        """Tell whether nothing was counted."""
        return not self.by_kind and not self.counters

    def _subtract_cell(
        self, mine: dict[Labels, Cell], kind: str, labels: Labels, cell: Cell
    ) -> None:
        other_labels = series.other(kind)
        if labels not in mine:
            labels = other_labels
        remaining = mine.setdefault(labels, Cell())
        remaining.subtract(cell)
        if remaining.count:
            return
        # While something is folded, an empty series keeps its place: were it given to a newcomer
        # that was folded before, that newcomer's past could no longer be told from __other__.
        if other_labels not in mine:
            del mine[labels]
        elif labels == other_labels:
            for empty in [each for each, held in mine.items() if not held.count]:
                del mine[empty]


def folded_to(cells: Cells, limit: int) -> Cells:
    """Return the same figures with at most ``limit`` series a kind, the smallest in ``__other__``.

    Returns ``cells`` itself when nothing exceeds the limit.
    """
    if all(len(of_kind) <= limit for of_kind in cells.by_kind.values()):
        return cells
    smaller = Cells(limit)
    smaller.folded = cells.folded
    smaller.counters = cells.counters
    for kind, of_kind in cells.by_kind.items():
        smaller.by_kind[kind] = _folded_kind(of_kind, kind, limit)
    return smaller


def _folded_kind(
    of_kind: Mapping[Labels, Cell], kind: str, limit: int
) -> dict[Labels, Cell]:
    if len(of_kind) <= limit:
        return dict(of_kind)
    other_labels = series.other(kind)
    by_size = sorted(
        (labels for labels in of_kind if labels != other_labels),
        key=lambda labels: (-of_kind[labels].count, labels),
    )
    kept = {labels: of_kind[labels] for labels in by_size[: limit - 1]}
    rest = Cell()
    for labels in by_size[limit - 1 :]:
        rest.merge(of_kind[labels])
    if other_labels in of_kind:
        rest.merge(of_kind[other_labels])
    kept[other_labels] = rest
    return kept
