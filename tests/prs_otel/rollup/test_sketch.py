from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prs_otel.rollup import sketch

durations = st.integers(min_value=0, max_value=2**62)


@given(durations)
def test_a_duration_lies_within_the_bounds_of_its_bucket(duration: int) -> None:
    low, high = sketch.bounds_of(sketch.index_of(duration))

    assert low <= duration <= high


@given(durations)
def test_a_bucket_is_at_most_one_thirty_second_of_its_lower_bound_wide(
    duration: int,
) -> None:
    low, high = sketch.bounds_of(sketch.index_of(duration))

    assert (high - low) * 32 <= low


@given(durations)
def test_buckets_follow_one_another_without_a_gap(duration: int) -> None:
    index = sketch.index_of(duration)
    _, high = sketch.bounds_of(index)

    assert sketch.bounds_of(index + 1)[0] == high + 1
    assert sketch.index_of(high + 1) == index + 1


@given(st.lists(st.integers(64, 10**12), min_size=1), st.floats(0, 1))
def test_a_quantile_is_within_1_6_percent_of_the_nearest_rank(
    values: list[int], q: float
) -> None:
    bins: dict[int, int] = {}
    for value in values:
        index = sketch.index_of(value)
        bins[index] = bins.get(index, 0) + 1

    (found,) = sketch.quantiles(bins, (q,))

    exact = sorted(values)[max(1, math.ceil(q * len(values))) - 1]
    assert found == pytest.approx(exact, rel=0.016)


def test_an_empty_sketch_has_quantiles_of_zero() -> None:
    assert sketch.quantiles({}, (0.5, 0.95)) == [0.0, 0.0]


def test_several_quantiles_may_fall_into_one_bucket() -> None:
    assert sketch.quantiles({10: 5}, (0.5, 0.95, 0.99)) == [10.0, 10.0, 10.0]
