"""The merged figures of one window, as a reader sees them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from prs_otel.rollup.figures import Figures, merge

if TYPE_CHECKING:
    from prs_otel.rollup.cells import Cells
    from prs_otel.rollup.series import Labels


@dataclass(frozen=True, slots=True)
class Window:
    """Hold every series of ``[start, end)``, epoch seconds, merged over all workers.

    ``covered_seconds`` is how much of the window the store knows of: less than
    ``seconds`` after a fresh start or an eviction.
    """

    start: float
    end: float
    covered_seconds: float
    by_kind: Mapping[str, Mapping[Labels, Figures]]
    counters: Mapping[str, Mapping[Labels, int]]

    @property
    def seconds(self) -> float:
        """Return the length that was asked for."""
        return self.end - self.start

    def figures(self, kind: str) -> Mapping[Labels, Figures]:
        """Return every series of a kind, ``__other__`` included: they sum to the total."""
        return self.by_kind.get(kind, {})

    def total(self, kind: str) -> Figures:
        """Return all series of a kind taken as one."""
        return merge(self.figures(kind).values())

    def counter(self, name: str) -> Mapping[Labels, int]:
        """Return the values of a plain counter."""
        return self.counters.get(name, {})


def window_of(
    cells: Cells, *, start: float, end: float, covered_seconds: float
) -> Window:
    """Return a window with a copy of ``cells``."""
    return Window(
        start=start,
        end=end,
        covered_seconds=covered_seconds,
        by_kind={
            kind: {
                labels: Figures.of(cell)
                for labels, cell in of_kind.items()
                if cell.count
            }
            for kind, of_kind in cells.by_kind.items()
        },
        counters={name: dict(counter) for name, counter in cells.counters.items()},
    )
