from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from prs_otel.rollup import bands, sketch

durations = st.integers(min_value=0, max_value=10**13)


@given(st.lists(durations, min_size=1))
def test_every_duration_is_between_the_edges_of_its_band(found: list[int]) -> None:
    for duration in found:
        banded = bands.banded({sketch.index_of(duration): 1})
        (low, high) = bands.edges(bands.span([banded]))
        assert low <= duration / 1e9 <= high


@given(st.dictionaries(st.integers(0, 1_500), st.integers(1, 100)))
def test_none_is_lost(bins: dict[int, int]) -> None:
    assert sum(bands.banded(bins).values()) == sum(bins.values())


def test_of_nothing_there_is_no_band() -> None:
    assert bands.edges(bands.span([{}, {}])) == []
