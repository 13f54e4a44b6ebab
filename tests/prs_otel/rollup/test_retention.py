from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from prs_otel.rollup.retention import Merge, expired, plan
from prs_otel.store.base import Row

NOW = 1_000_000_000.0


def row(id: int, *, level: int = 0, start: float, end: float | None = None) -> Row:  # noqa: A002
    return Row(
        id=id,
        level=level,
        start=start,
        end=start + (level or 5) if end is None else end,
        size=1,
        slowest={},
        replaces=(),
    )


def test_deltas_of_a_closed_ten_second_slot_are_merged() -> None:
    slot = NOW - 30
    rows = [row(1, start=slot), row(2, start=slot + 5), row(3, start=NOW - 5)]

    assert plan(rows, now=NOW) == [Merge(10, slot, (1, 2))]


def test_deltas_wait_until_late_workers_have_flushed() -> None:
    slot = NOW - 20

    assert plan([row(1, start=slot)], now=slot + 19.9) == []
    assert plan([row(1, start=slot)], now=slot + 20) == [Merge(10, slot, (1,))]


def test_deltas_wait_longer_where_they_are_said_to_arrive_later() -> None:
    slot = NOW - 60

    assert plan([row(1, start=slot)], now=slot + 49, late_after=40) == []
    assert plan([row(1, start=slot)], now=slot + 50, late_after=40) == [
        Merge(10, slot, (1,))
    ]


def test_a_late_delta_joins_the_bucket_of_its_slot() -> None:
    slot = NOW - 60
    rows = [row(1, level=10, start=slot), row(2, start=slot + 5)]

    assert plan(rows, now=NOW) == [Merge(10, slot, (1, 2))]


def test_buckets_grow_coarser_with_age() -> None:
    minute = NOW - NOW % 3600 - 7200 * 10
    tens = [row(n, level=10, start=minute + 10 * n) for n in range(6)]

    assert plan(tens, now=minute + 60 + 599) == []
    assert plan(tens, now=minute + 60 + 600) == [Merge(60, minute, (0, 1, 2, 3, 4, 5))]


def test_a_bucket_that_was_forgotten_goes_straight_to_the_level_of_its_age() -> None:
    hour = NOW - NOW % 3600 - 3 * 86_400

    assert plan([row(1, start=hour + 700)], now=NOW) == [Merge(3600, hour, (1,))]


def test_a_merged_bucket_alone_in_its_slot_is_left_alone() -> None:
    assert plan([row(1, level=60, start=NOW - 1_800 - NOW % 60)], now=NOW) == []


def test_a_delta_over_a_suspended_hour_counts_in_its_middle() -> None:
    rows = [row(1, start=NOW - 3_600, end=NOW)]

    (merge,) = plan(rows, now=NOW)

    assert merge.start <= NOW - 1_800 <= merge.start + merge.level


def test_buckets_expire_an_hour_after_the_retention() -> None:
    rows = [
        row(1, level=300, start=NOW - 86_400 - 3_600 - 400),
        row(2, level=300, start=NOW - 86_400 - 3_000),
    ]

    assert expired(rows, now=NOW, retention=86_400) == [1]


@given(
    st.lists(st.tuples(st.floats(0, 200_000), st.floats(0, 30)), max_size=30),
    st.floats(0, 100_000),
)
def test_every_row_is_merged_at_most_once_a_round(
    spans: list[tuple[float, float]], age: float
) -> None:
    rows = [
        row(n, start=start, end=start + width) for n, (start, width) in enumerate(spans)
    ]

    merged = [row_id for merge in plan(rows, now=200_000 + age) for row_id in merge.ids]

    assert len(merged) == len(set(merged))
