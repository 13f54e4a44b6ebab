from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from alerting.webhook.token_bucket import TokenBucket


def test_a_burst_goes_through_and_the_next_is_told_when_to_come_again() -> None:
    bucket = TokenBucket(rate=0.1, burst=3)

    assert [bucket.take(now=100.0) for _ in range(4)] == [0, 0, 0, 10]
    assert bucket.take(now=105.0) == 5
    assert bucket.take(now=110.0) == 0


def test_nobody_is_told_to_come_again_at_once() -> None:
    bucket = TokenBucket(rate=100.0, burst=1)

    assert [bucket.take(now=1.0), bucket.take(now=1.0)] == [0, 1]


@given(st.lists(st.floats(0, 100), max_size=200))
def test_never_more_than_burst_and_rate_go_through(moments: list[float]) -> None:
    bucket = TokenBucket(rate=2.0, burst=5)

    passed = [now for now in sorted(moments) if bucket.take(now=now) == 0]

    for at, first in enumerate(passed):
        for count, last in enumerate(passed[at:], 1):
            assert count <= 5 + 2.0 * (last - first) + 1e-6


def test_a_clock_that_was_set_back_gives_nothing_and_goes_on() -> None:
    bucket = TokenBucket(rate=1.0, burst=1)

    assert bucket.take(now=100.0) == 0
    assert bucket.take(now=50.0) == 1
    assert bucket.take(now=51.0) == 0
