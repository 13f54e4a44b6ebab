from __future__ import annotations

import pytest

from prs_otel.rollup.cell import Cell
from prs_otel.rollup.figures import Figures, merge

SECOND = 1_000_000_000


def figures(*durations: int, errors: int = 0, slow: int = 0) -> Figures:
    cell = Cell()
    for n, duration in enumerate(durations):
        cell.observe(duration, is_error=n < errors, is_slow=n < slow)
    cell.queries, cell.query_time, cell.findings = 4, 2 * SECOND, 1
    return Figures(cell)


def test_a_reader_sees_seconds_and_ratios() -> None:
    seen = figures(SECOND, 3 * SECOND, errors=1, slow=2)

    assert (seen.count, seen.error_count, seen.slow_count) == (2, 1, 2)
    assert (seen.error_rate, seen.slow_rate) == (0.5, 1.0)
    assert (seen.total, seen.mean, seen.max) == (4.0, 2.0, 3.0)
    assert (seen.query_count, seen.query_time, seen.finding_count) == (4, 2.0, 1)


def test_of_nothing_everything_is_zero() -> None:
    nothing = Figures()

    assert (nothing.mean, nothing.error_rate, nothing.slow_rate) == (0.0, 0.0, 0.0)
    assert nothing.quantiles((0.5, 0.99)) == [0.0, 0.0]
    assert merge([]).count == 0


def test_no_quantile_lies_above_the_maximum() -> None:
    seen = figures(2**30)  # the smallest of its bucket, whose middle is above it

    assert seen.quantile(0.5) == seen.quantile(1.0) == seen.max


def test_figures_do_not_change_with_the_cell_they_are_of() -> None:
    cell = Cell()
    seen = Figures.of(cell)

    cell.observe(SECOND)

    assert seen.count == 0


def test_what_remains_without_some_parts_is_what_the_others_have() -> None:
    whole = merge([figures(SECOND), figures(5 * SECOND, errors=1)])

    rest = whole.without([figures(5 * SECOND, errors=1)])

    assert (rest.count, rest.error_count, rest.total) == (1, 0, 1.0)
    assert rest.max == pytest.approx(1.0, rel=1 / 32)
    assert whole.count == 2
