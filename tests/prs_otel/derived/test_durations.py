from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prs_otel.derived.catalog import TIMED
from prs_otel.derived.durations import Duration, durations
from tests.prs_otel.derived.deltas import Counting
from tests.prs_otel.rollup.observations import query, request

REQUESTS, QUERIES, _ = TIMED
NS = 1_000_000_000


def of_requests(found: list[int]) -> list[Duration]:
    counting = Counting()
    for duration in found:
        counting.rollup.record(request(endpoint="/a/", duration=duration))
    return list(durations(counting.seal(), REQUESTS))


@given(st.lists(st.integers(1, 10**12), min_size=1, max_size=300))
def test_their_number_and_their_sum_are_exact(found: list[int]) -> None:
    exported = of_requests(found)

    assert sum(each.times for each in exported) == len(found)
    total = sum(each.seconds * each.times for each in exported)
    assert total == pytest.approx(sum(found) / NS, rel=1e-6)


@given(st.lists(st.integers(1, 10**12), min_size=1, max_size=300))
def test_each_is_about_as_long_as_it_was(found: list[int]) -> None:
    exported = sorted(
        seconds
        for each in of_requests(found)
        for seconds in [each.seconds] * each.times
    )

    # The bin and the correction are within 1.6 % each.
    for seconds, exact in zip(exported, sorted(found), strict=True):
        assert seconds == pytest.approx(exact / NS, rel=0.033, abs=2e-9)


def test_the_slowest_name_their_trace() -> None:
    counting = Counting()
    counting.rollup.record(request(endpoint="/a/", duration=NS, trace_id=7, span_id=8))

    (found,) = durations(counting.seal(), REQUESTS)

    assert found == Duration(("/a/", "GET"), 1.0, 1, f"{7:032x}", f"{8:016x}")


def test_queries_are_told_apart_by_their_database() -> None:
    counting = Counting()
    for fingerprint in "ab":
        counting.rollup.record(query(fingerprint=fingerprint, duration=NS))

    found = list(durations(counting.seal(), QUERIES))

    assert [each.labels for each in found] == [("default",)] * 2
    assert [each.trace_id != "" for each in found] == [True, True]
