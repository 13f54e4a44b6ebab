from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from prs_otel.derived.catalog import BOUNDARIES
from prs_otel.rollup.cell import Cell
from prs_otel.scrape.buckets import bucket_of, cumulative

durations = st.lists(st.integers(0, 20 * 10**9), max_size=50)


def observed(nanoseconds: list[int]) -> Cell:
    cell = Cell()
    for each in nanoseconds:
        cell.observe(each)
    return cell


def test_nothing_is_in_no_bucket() -> None:
    assert cumulative({}) == [0] * (len(BOUNDARIES) + 1)


def test_each_bucket_has_what_is_below_it_too() -> None:
    counts = cumulative(observed([1_000_000, 30_000_000, 60 * 10**9]).bins)

    assert (counts[0], counts[3], counts[-2], counts[-1]) == (1, 2, 2, 3)


@given(durations)
def test_a_duration_is_in_its_bucket_to_within_its_bin(found: list[int]) -> None:
    counts = cumulative(observed(found).bins)

    for boundary, count in zip(BOUNDARIES, counts, strict=False):
        assert count >= sum(each * 1.016 <= boundary * 1e9 for each in found)
        assert count <= sum(each * 0.984 <= boundary * 1e9 for each in found)
    assert counts[-1] == len(found)


@given(durations, durations)
def test_no_bucket_ever_shrinks(before: list[int], later: list[int]) -> None:
    first, second = (observed(each).bins for each in (before, before + later))

    pairs = zip(cumulative(first), cumulative(second), strict=True)
    assert all(one <= other for one, other in pairs)


def test_a_duration_at_a_boundary_is_within_it() -> None:
    assert [bucket_of(each) for each in (0.0, 0.005, 0.0051, 10.0, 11.0)] == [
        0,
        0,
        1,
        13,
        14,
    ]
