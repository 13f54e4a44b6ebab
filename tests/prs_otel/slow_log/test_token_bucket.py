from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from prs_otel.slow_log.token_bucket import TokenBucket

moments = st.lists(st.floats(0, 100), max_size=200).map(sorted)


@given(moments, st.integers(1, 20), st.floats(0.01, 10))
def test_no_stretch_of_time_lets_more_through_than_burst_and_rate(
    times: list[float], capacity: int, per_second: float
) -> None:
    bucket = TokenBucket(capacity, per_second)
    taken = [now for now in times if bucket.take(now)]

    for first, start in enumerate(taken):
        for last, end in enumerate(taken[first:], first):
            allowed = capacity + per_second * (end - start)
            assert last - first + 1 <= allowed + 1e-6


@given(moments, st.integers(1, 20), st.floats(0.01, 10))
def test_nothing_is_refused_that_burst_and_rate_allow(
    times: list[float], capacity: int, per_second: float
) -> None:
    bucket = TokenBucket(capacity, per_second)
    for now in times:
        bucket.take(now)

    # A full bucket's worth of time later, whatever came before.
    later = max(times, default=0.0) + capacity / per_second + 1e-6
    assert [bucket.take(later) for _ in range(capacity + 1)] == [True] * capacity + [
        False
    ]


def test_a_clock_that_was_set_back_neither_refills_nor_stops_it() -> None:
    bucket = TokenBucket(1, 1.0)
    assert bucket.take(1_000.0)

    assert not bucket.take(10.0)
    assert bucket.take(11.0)
