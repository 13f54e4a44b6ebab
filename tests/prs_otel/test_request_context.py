from __future__ import annotations

import pytest

from prs_otel import request_context
from prs_otel.observation import CallSite, Repeat, RequestContext
from prs_otel.request_context import current_request, finish


def test_queries_and_their_time_add_up() -> None:
    request = RequestContext()

    counts = [request.add_query(name, 10) for name in ("a", "b", "a", "a")]

    assert counts == [1, 1, 2, 3]
    assert (request.query_count, request.query_time) == (4, 40)
    assert request.repeats == {"a": Repeat(3, 30, None), "b": Repeat(1, 10, None)}


def test_slow_queries_are_counted_apart() -> None:
    request = RequestContext()
    for is_slow in (True, False, False, True, False):
        request.add_query("a", 10, is_slow=is_slow)

    assert (request.query_count, request.slow_query_count) == (5, 2)


def test_outcomes_are_kept_only_when_somebody_asks_for_them() -> None:
    silent, asked = RequestContext(), RequestContext()
    asked.keeps_outcomes = True
    for request in (silent, asked):
        request.add_query("a", 10, is_error=True)
        request.add_query("a", 20, is_slow=True)

    assert silent.query_outcomes == []
    assert asked.query_outcomes == [(10, True, False), (20, False, True)]


def test_what_is_kept_of_a_request_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(request_context, "REPEATS_LIMIT", 2)
    monkeypatch.setattr(request_context, "OUTCOMES_LIMIT", 3)
    request = RequestContext()
    request.keeps_outcomes = True

    counts = [request.add_query(name, 1) for name in ("a", "b", "c", "d", "a")]

    assert counts == [1, 1, 0, 0, 2]
    assert request.query_count == 5
    assert set(request.repeats) == {"a", "b"}
    assert len(request.query_outcomes) == 3


def test_the_line_that_repeats_a_query_stays_with_it() -> None:
    request, code = RequestContext(), CallSite("views.py", 3, "view")
    request.add_query("a", 10)
    request.locate("a", code)
    request.locate("never seen", code)
    request.add_query("a", 10)

    assert request.repeats == {"a": Repeat(2, 20, code)}


def test_a_request_that_matched_no_route_is_unresolved() -> None:
    request = RequestContext()
    assert request.endpoint == "__unresolved__"

    request.route = "/deals/"
    assert request.endpoint == "/deals/"


def test_a_finished_request_gives_way_to_the_one_around_it() -> None:
    outer = RequestContext()
    inner = RequestContext(outer=outer)
    current_request.set(inner)

    finish(inner)
    assert (current_request.get(), inner.is_finished) == (outer, True)

    finish(outer)
    assert current_request.get() is None


def test_finishing_leaves_another_request_current() -> None:
    mine, other = RequestContext(), RequestContext()
    current_request.set(other)
    finish(mine)

    assert current_request.get() is other
    current_request.set(None)
