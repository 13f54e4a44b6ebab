from __future__ import annotations

import pytest

from prs_otel.monitoring import documents
from prs_otel.monitoring.documents import SampleQuery
from prs_otel.observation import CallSite
from prs_otel.rollup import series
from tests.support.measured import Measured, Whose

NOW = 1_700_000_000.0
A_DAY = 86_400.0


def test_the_slowest_query_is_first_and_fully_described(measured: Measured) -> None:
    code = CallSite("deals/views.py", 42, "deal_list")
    whose = Whose("/deals/", organization_id="7")
    measured.query(0.5, text="SELECT fast")
    measured.query(2.5, text="SELECT slow", whose=whose, code=code)

    asked = SampleQuery(seconds=A_DAY)
    document = documents.slow_queries(measured.flush(), asked, now=NOW)

    assert document.count == 2
    assert document.items[0].model_dump(mode="json") == {
        "query": "SELECT slow",
        "fingerprint": "slow",
        "duration": pytest.approx(2.5),
        "endpoint": "/deals/",
        "task": None,
        "organization_id": "7",
        "code": {"file": "deals/views.py", "line": 42, "function": "deal_list"},
        "trace_id": f"{2:032x}",
        "span_id": f"{2:016x}",
        "time": "2023-11-14T22:13:19Z",
    }
    assert document.items[1].code is None
    assert document.items[1].endpoint is None


def test_the_slowest_request_is_first_and_fully_described(measured: Measured) -> None:
    measured.request(0.1)
    measured.request(
        4.0,
        whose=Whose("/deals/<int:pk>/", organization_id="7", user_id="3"),
        method="POST",
        status=503,
        queries=[0.5, 1.0],
    )

    asked = SampleQuery(seconds=A_DAY)
    document = documents.slow_calls(measured.flush(), asked, now=NOW)

    assert document.count == 2
    assert document.items[0].model_dump(mode="json") == {
        "endpoint": "/deals/<int:pk>/",
        "method": "POST",
        "status_code": 503,
        "duration": pytest.approx(4.0),
        "query_count": 2,
        "query_duration": pytest.approx(1.5),
        "organization_id": "7",
        "user_id": "3",
        "trace_id": f"{2:032x}",
        "time": "2023-11-14T22:13:19Z",
    }


def test_a_call_that_no_route_matched_says_so(measured: Measured) -> None:
    measured.request(whose=Whose(None), status=404)

    document = documents.slow_calls(
        measured.flush(), SampleQuery(seconds=A_DAY), now=NOW
    )

    assert document.items[0].endpoint == series.UNRESOLVED


def test_an_organization_gets_its_own_samples_without_sql(measured: Measured) -> None:
    measured.query(9.0, text="SELECT theirs", whose=Whose(organization_id="8"))
    measured.query(5.0, text="SELECT nobody's")
    measured.query(1.5, text="SELECT ours", whose=Whose(organization_id="7"))
    measured.request(9.0, whose=Whose(organization_id="8"))
    measured.request(0.1, whose=Whose(organization_id="7"))
    view = measured.flush()
    asked = SampleQuery(seconds=A_DAY, organization_id="7")

    queries = documents.slow_queries(view, asked, now=NOW)
    calls = documents.slow_calls(view, asked, now=NOW)

    assert [(item.query, item.organization_id) for item in queries.items] == [
        (None, "7")
    ]
    assert [item.organization_id for item in calls.items] == ["7"]


def test_pages_follow_one_another_and_count_them_all(measured: Measured) -> None:
    for number in range(30):
        measured.request(1.0 + number)
    view = measured.flush()

    pages = [
        documents.slow_calls(
            view, SampleQuery(seconds=A_DAY, limit=12, offset=offset), now=NOW
        )
        for offset in (0, 12, 24, 36)
    ]

    assert [len(page.items) for page in pages] == [12, 12, 6, 0]
    assert {page.count for page in pages} == {30}
    durations = [item.duration for page in pages for item in page.items]
    assert durations == sorted(durations, reverse=True)


def test_there_are_never_more_than_the_slowest_hundred(measured: Measured) -> None:
    for number in range(150):
        measured.request(1.0 + number)

    document = documents.slow_calls(
        measured.flush(), SampleQuery(seconds=A_DAY, limit=100), now=NOW
    )

    assert document.count == len(document.items) == 100
    assert document.items[-1].duration == pytest.approx(51.0)


def test_how_much_of_the_window_is_known_is_said(measured: Measured) -> None:
    measured.request(4.0)
    view, asked = measured.flush(), SampleQuery(seconds=A_DAY)
    with view.store.reading() as reader:
        now = reader.known_since + 600

    for document in (
        documents.slow_queries(view, asked, now=now),
        documents.slow_calls(view, asked, now=now),
    ):
        assert (document.window.seconds, document.window.covered_seconds) == (
            A_DAY,
            600,
        )
        assert document.window.end.timestamp() == pytest.approx(now)


def test_the_slowest_of_one_endpoint_or_statement_can_be_asked_for(
    measured: Measured,
) -> None:
    for endpoint, text in (
        ("/a/", "SELECT x"),
        ("/b/", "SELECT x"),
        ("/a/", "SELECT y"),
    ):
        measured.query(2.0, text=text, whose=Whose(endpoint))
        measured.request(2.0, whose=Whose(endpoint))
    view = measured.flush()
    of_endpoint = SampleQuery(seconds=A_DAY, endpoint="/a/")
    of_both = SampleQuery(seconds=A_DAY, endpoint="/a/", fingerprint="x")

    queries = documents.slow_queries(view, of_endpoint, now=NOW)
    calls = documents.slow_calls(view, of_endpoint, now=NOW)
    (query,) = documents.slow_queries(view, of_both, now=NOW).items

    assert [item.endpoint for item in queries.items] == ["/a/", "/a/"]
    assert [item.endpoint for item in calls.items] == ["/a/", "/a/"]
    assert (query.endpoint, query.query) == ("/a/", "SELECT x")


def test_staff_read_the_statements_of_an_organisation(measured: Measured) -> None:
    measured.query(1.5, text="SELECT ours", whose=Whose(organization_id="7"))
    measured.query(1.5, text="SELECT theirs", whose=Whose(organization_id="8"))
    asked = SampleQuery(seconds=A_DAY, organization_id="7", is_of_staff=True)

    (query,) = documents.slow_queries(measured.flush(), asked, now=NOW).items

    assert query.query == "SELECT ours"
