from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import SpanContext

from prs_otel.observation import (
    LATEST,
    CallSite,
    Observation,
    RequestContext,
    Thresholds,
    known_method,
    times,
    with_slash,
)

CONTEXT = SpanContext(0xAB, 0xCD, False)
SECOND = 1_000_000_000
QUERY = {"prs.db.alias": "default", "prs.db.query.fingerprint": "f" * 16}
NEW = {
    "http.request.method": "GET",
    "http.response.status_code": 200,
    "http.route": "deals/<int:pk>/",
}
OLD = {"http.method": "GET", "http.status_code": 200, "http.route": "deals/<int:pk>/"}


def a_span(
    attributes: Any = None, *, start: Any = SECOND, end: Any = 2 * SECOND
) -> Any:
    return ReadableSpan(
        "name",
        context=CONTEXT,
        resource=Resource.get_empty(),
        attributes=attributes,
        start_time=start,
        end_time=end,
    )


def observed(attributes: Any, **times_: Any) -> Observation:
    found = Observation.from_span(a_span(attributes, **times_), Thresholds())
    assert found is not None
    return found


def test_a_query_is_labelled_by_alias_and_fingerprint() -> None:
    assert observed(QUERY) == Observation(
        kind="query",
        labels=("default", "f" * 16),
        duration=SECOND,
        is_error=False,
        is_slow=False,
        at=2 * SECOND,
        trace_id=0xAB,
        span_id=0xCD,
        request=None,
        code=None,
    )


def test_a_failed_query_is_an_error() -> None:
    assert observed({**QUERY, "error.type": "django.db.utils.DataError"}).is_error


def test_a_slow_query_carries_its_line_of_code() -> None:
    code = {
        "code.file.path": "deals/views.py",
        "code.line.number": 7,
        "code.function.name": "index",
    }
    slow = observed({**QUERY, **code}, end=3 * SECOND)

    assert slow.is_slow
    assert slow.code == CallSite("deals/views.py", 7, "index")
    assert observed(QUERY, end=3 * SECOND).code is None


def test_exactly_the_threshold_is_not_slow() -> None:
    assert not observed(QUERY, end=2 * SECOND).is_slow
    assert observed(QUERY, end=2 * SECOND + 1).is_slow


@pytest.mark.parametrize("attributes", [NEW, OLD], ids=["new", "old"])
def test_a_request_is_read_in_either_convention(attributes: Any) -> None:
    found = observed(attributes)

    assert found.kind == "request"
    assert found.labels == ("/deals/<int:pk>/", "GET")
    assert not found.is_error


@pytest.mark.parametrize(
    ("status", "is_error"), [(200, False), (404, False), (499, False), (500, True)]
)
def test_an_error_is_a_status_from_500(status: int, is_error: bool) -> None:
    assert observed({**NEW, "http.response.status_code": status}).is_error is is_error


def test_a_request_without_a_route_is_unresolved_and_an_unknown_method_other() -> None:
    found = observed({"http.request.method": "BREW", "http.response.status_code": 404})

    assert found.labels == ("__unresolved__", "_OTHER")


@pytest.mark.parametrize("attributes", [{}, None, {"http.request.method": "GET"}])
def test_what_got_no_response_is_no_observation(attributes: Any) -> None:
    assert Observation.from_span(a_span(attributes), Thresholds()) is None


def test_what_the_hooks_told_goes_before_what_the_span_says() -> None:
    request = RequestContext()
    request.method, request.route, request.status_code = "POST", "/offers/", 503

    found = Observation.from_span(a_span(NEW), Thresholds(), request=request)

    assert found is not None
    assert (found.labels, found.is_error) == (("/offers/", "POST"), True)
    assert found.request is request


def test_a_span_that_is_not_the_sdks_is_read_by_its_properties() -> None:
    foreign: Any = SimpleNamespace(
        attributes=QUERY, context=CONTEXT, start_time=1, end_time=3
    )

    found = Observation.from_span(foreign, Thresholds())

    assert found is not None
    assert (found.duration, found.at) == (2, 3)


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        (5, 7, (2, 7)),
        (7, 5, (0, 5)),
        (-5, 5, (5, 5)),
        (5, -5, (0, 0)),
        (math.nan, 5, (0, 5)),
        (5, math.nan, (0, 0)),
        (0, math.inf, (LATEST, LATEST)),
        (-math.inf, 5, (5, 5)),
        (None, 5, (0, 5)),
        (5, None, (0, 0)),
        (1.5, 4.25, (3, 4)),
        (0, 2**80, (LATEST, LATEST)),
        ("1", 2, (0, 2)),
    ],
)
def test_absurd_clocks_are_brought_within_bounds(
    start: Any, end: Any, expected: tuple[int, int]
) -> None:
    assert times(start, end) == expected
    found = observed(QUERY, start=start, end=end)
    assert (found.duration, found.at) == expected


anything = st.none() | st.integers() | st.floats() | st.text()


@given(start=anything, end=anything)
def test_no_clock_makes_an_impossible_duration(start: Any, end: Any) -> None:
    found = observed(QUERY, start=start, end=end)

    assert type(found.duration) is type(found.at) is int
    assert 0 <= found.duration <= found.at <= LATEST


@pytest.mark.parametrize(
    ("route", "expected"),
    [
        ("", "/"),
        ("deals/", "/deals/"),
        ("/deals/", "/deals/"),
        (r"^a/\d+$", r"/a/\d+$"),
    ],
)
def test_a_route_has_a_leading_slash(route: str, expected: str) -> None:
    assert with_slash(route) == expected


def test_clients_cannot_invent_methods() -> None:
    assert known_method("PATCH") == "PATCH"
    assert known_method("patch") == known_method(None) == "_OTHER"


def test_thresholds_are_settings_in_nanoseconds() -> None:
    settings: Any = SimpleNamespace(
        slow_query_threshold=0.25,
        slow_api_threshold=1.5,
        slow_task_threshold=90.0,
        n_plus_one_threshold=7,
        n_plus_one_min_duration=0.001,
    )

    assert Thresholds.of(settings) == Thresholds(
        slow_query=250_000_000,
        slow_request=1_500_000_000,
        slow_task=90_000_000_000,
        n_plus_one_count=7,
        n_plus_one_duration=1_000_000,
    )
