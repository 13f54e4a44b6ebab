"""One series in one stretch of time: how often, how often wrong, how slow, and for how long."""

from __future__ import annotations

from collections.abc import Sequence

from prs_otel.rollup import sketch


class Cell:
    """Hold the figures of one series; mutable, merged and taken apart exactly.

    Times are integer nanoseconds, so that what was added can be subtracted without a rounding
    error. ``queries``, ``slow_queries``, ``query_time`` and ``findings`` describe the queries a
    request or task ran, ``redirected`` (3xx) and ``refused`` (4xx) how a request was answered; they
    stay 0 for other kinds. Not thread-safe: whoever owns the cell holds the lock.
    """

    __slots__ = (
        "bins",
        "count",
        "errors",
        "findings",
        "maximum",
        "queries",
        "query_time",
        "redirected",
        "refused",
        "slow",
        "slow_queries",
        "total",
    )

    def __init__(self) -> None:
        self.count = 0
        self.errors = 0
        self.slow = 0
        self.total = 0
        self.maximum = 0
        self.queries = 0
        self.slow_queries = 0
        self.query_time = 0
        self.findings = 0
        self.redirected = 0
        self.refused = 0
        self.bins: dict[int, int] = {}

    def observe(
        self, duration: int, *, is_error: bool = False, is_slow: bool = False
    ) -> None:
        """Count one observation of ``duration`` nanoseconds."""
        self.count += 1
        self.errors += is_error
        self.slow += is_slow
        self.total += duration
        if duration > self.maximum:
            self.maximum = duration
        index = sketch.index_of(duration)
        self.bins[index] = self.bins.get(index, 0) + 1

    def merge(self, other: Cell) -> None:
        """Add all that ``other`` has counted."""
        self._add_counts(other, 1)
        self.maximum = max(self.maximum, other.maximum)
        bins = self.bins
        if not bins:
            self.bins = other.bins.copy()
            return
        for index, count in other.bins.items():
            # Most bins are there already, and then this is the fastest way to add.
            try:
                bins[index] += count
            except KeyError:
                bins[index] = count

    def subtract(self, other: Cell) -> None:
        """Take away what was merged before.

        The maximum of what remains is known only to the width of a bucket (3 %) once the largest
        observation has been taken away.
        """
        self._add_counts(other, -1)
        bins = self.bins
        for index, count in other.bins.items():
            left = bins.get(index, 0) - count
            if left:
                bins[index] = left
            else:
                bins.pop(index, None)
        # Whoever held the maximum may have left long after it was last looked at.
        if sketch.index_of(self.maximum) not in bins:
            self.maximum = sketch.bounds_of(max(bins))[1] if bins else 0

    def copy(self) -> Cell:
        """Return an independent cell with the same figures."""
        twin = Cell()
        twin._add_counts(self, 1)
        twin.maximum = self.maximum
        twin.bins = self.bins.copy()
        return twin

    def _add_counts(self, other: Cell, sign: int) -> None:
        self.count += sign * other.count
        self.errors += sign * other.errors
        self.slow += sign * other.slow
        self.total += sign * other.total
        self.queries += sign * other.queries
        self.slow_queries += sign * other.slow_queries
        self.query_time += sign * other.query_time
        self.findings += sign * other.findings
        self.redirected += sign * other.redirected
        self.refused += sign * other.refused


def sum_of(cells: Sequence[Cell]) -> Cell:
    """Return one cell with the sum of all."""
    total = Cell()
    for cell in cells:
        total._add_counts(cell, 1)  # noqa: SLF001 - a cell's own module
    total.maximum = max((cell.maximum for cell in cells), default=0)
    total.bins = sketch.merged([cell.bins for cell in cells])
    return total
