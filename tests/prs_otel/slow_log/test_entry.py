from __future__ import annotations

import pytest

from prs_otel.rollup import series
from prs_otel.rollup.sample import Sample
from prs_otel.slow_log.entry import entry, summary
from tests.prs_otel.rollup.test_codec import sample


def fields(
    each: Sample, text: str = "SELECT ?", suppressed: int = 0
) -> dict[str, object]:
    return dict(entry(each, text, suppressed=suppressed).fields)


def test_a_slow_query_has_its_place_and_its_sanitised_text() -> None:
    assert fields(sample()) == {
        "event": "slow_query",
        "duration": 1.5,
        "method": "GET",
        "route": "/deals/",
        "status": 200,
        "code": "deals/views.py:12",
        "function": "listing",
        "db": "default",
        "fingerprint": "f" * 16,
        "query": "SELECT ?",
        "organization_id": "7",
        "trace_id": "a" * 32,
        "span_id": "b" * 16,
    }


def test_a_slow_query_outside_of_a_request_has_no_route() -> None:
    found = fields(sample(endpoint=None, status_code=0, method="", code=None))

    assert found.keys().isdisjoint({"route", "method", "status", "code", "function"})


def test_a_slow_request_tells_of_its_queries() -> None:
    request = sample(
        kind=series.REQUEST,
        fingerprint="",
        alias="",
        code=None,
        query_count=7,
        query_duration=1.25,
        is_error=True,
        status_code=500,
        organization_id=None,
    )

    assert fields(request, "") == {
        "event": "slow_request",
        "duration": 1.5,
        "method": "GET",
        "route": "/deals/",
        "status": 500,
        "query_count": 7,
        "query_duration": 1.25,
        "error": True,
        "trace_id": "a" * 32,
        "span_id": "b" * 16,
    }


def test_a_line_says_how_many_were_left_out_before_it() -> None:
    assert fields(sample(), suppressed=3)["suppressed"] == 3
    assert dict(summary(series.REQUEST, suppressed=4).fields) == {
        "event": "slow_request",
        "suppressed": 4,
    }


def test_a_line_belongs_to_the_trace_and_span_of_its_sample() -> None:
    found = entry(sample(), "SELECT ?", suppressed=0)

    assert (found.trace_id, found.span_id) == ("a" * 32, "b" * 16)


def test_a_user_is_never_named() -> None:
    named = entry(sample(user_id="4711"), "SELECT ?", suppressed=0)

    assert "4711" not in str(named)


@pytest.mark.parametrize(
    ("organization", "is_said"),
    [
        ("42", True),
        ("acme_eu-1", True),
        ("7d9f6a52-0c1e-4a58-9f0e-2b6a3c1d5e4f", True),
        ("alice@example.org", False),
        ("Alice Smith", False),
        ("+49 30 123456", False),
        ("Zürich", False),
        ("a" * 65, False),
        ("", False),
    ],
)
def test_an_organisation_is_said_only_if_that_is_an_id(
    organization: str, is_said: bool
) -> None:
    found = fields(sample(organization_id=organization))

    assert ("organization_id" in found) is is_said


def test_a_long_statement_is_cut_after_500_characters() -> None:
    assert fields(sample(), "x" * 20_000)["query"] == "x" * 500 + "…"
    assert fields(sample(), "x" * 500)["query"] == "x" * 500


def test_a_statement_nobody_remembers_is_left_out() -> None:
    assert "query" not in fields(sample(), "")


def test_a_slow_task_is_called_by_its_name() -> None:
    task = sample(
        kind=series.TASK,
        task="shop.bill",
        endpoint=None,
        status_code=0,
        organization_id=None,
        fingerprint="",
        alias="",
        code=None,
        query_count=7,
        query_duration=1.25,
    )

    assert fields(task, "") == {
        "event": "slow_task",
        "duration": 1.5,
        "task": "shop.bill",
        "query_count": 7,
        "query_duration": 1.25,
        "trace_id": "a" * 32,
        "span_id": "b" * 16,
    }


def test_a_slow_query_says_which_task_ran_it() -> None:
    found = fields(sample(task="shop.bill", endpoint=None, method="", status_code=0))

    assert found["task"] == "shop.bill"
    assert "route" not in found
