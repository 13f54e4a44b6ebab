"""What a reader sees of a series: counts, rates and quantiles, in seconds and ratios."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from prs_otel.rollup import sketch
from prs_otel.rollup.cell import Cell, sum_of

_NS = 1e9


class Figures:
    """Show a cell to readers; times are seconds, rates 0..1. Not to be changed."""

    __slots__ = ("cell",)

    def __init__(self, cell: Cell | None = None) -> None:
        self.cell = Cell() if cell is None else cell

    @classmethod
    def of(cls, cell: Cell) -> Figures:
        """Return the figures of a cell as it is now, independent of it."""
        return cls(cell.copy())

    @property
    def count(self) -> int:
        """Return the number of observations."""
        return self.cell.count

    @property
    def error_count(self) -> int:
        """Return how many of them failed."""
        return self.cell.errors

    @property
    def slow_count(self) -> int:
        """Return how many of them were slow."""
        return self.cell.slow

    @property
    def query_count(self) -> int:
        """Return how many queries the requests ran."""
        return self.cell.queries

    @property
    def slow_query_count(self) -> int:
        """Return how many of these queries were slow."""
        return self.cell.slow_queries

    @property
    def redirected_count(self) -> int:
        """Return how many requests were answered by a 3xx."""
        return self.cell.redirected

    @property
    def refused_count(self) -> int:
        """Return how many requests were answered by a 4xx."""
        return self.cell.refused

    @property
    def succeeded_count(self) -> int:
        """Return how many requests were answered by anything below a 3xx."""
        cell = self.cell
        return cell.count - cell.redirected - cell.refused - cell.errors

    @property
    def finding_count(self) -> int:
        """Return how many requests repeated a query."""
        return self.cell.findings

    @property
    def total(self) -> float:
        """Return the sum of all durations."""
        return self.cell.total / _NS

    @property
    def max(self) -> float:
        """Return the longest duration."""
        return self.cell.maximum / _NS

    @property
    def query_time(self) -> float:
        """Return how long the requests' queries took altogether."""
        return self.cell.query_time / _NS

    @property
    def mean(self) -> float:
        """Return the mean duration, 0 without observations."""
        return self.total / self.count if self.count else 0.0

    @property
    def error_rate(self) -> float:
        """Return the share of observations that failed."""
        return self.error_count / self.count if self.count else 0.0

    @property
    def slow_rate(self) -> float:
        """Return the share of observations that were slow."""
        return self.slow_count / self.count if self.count else 0.0

    def quantile(self, q: float) -> float:
        """Return one quantile of the duration, within 1.6 %."""
        return self.quantiles((q,))[0]

    def quantiles(self, qs: Sequence[float]) -> list[float]:
        """Return several quantiles (ascending) at the price of one, none above the maximum."""
        found = sketch.quantiles(self.cell.bins, qs)
        return [min(value / _NS, self.max) for value in found]

    def without(self, parts: Iterable[Figures]) -> Figures:
        """Return what remains when ``parts`` of it are taken away."""
        remainder = self.cell.copy()
        for part in parts:
            remainder.subtract(part.cell)
        return Figures(remainder)


def merge(figures: Iterable[Figures]) -> Figures:
    """Return the figures of several series taken as one."""
    return Figures(sum_of([each.cell for each in figures]))
