from __future__ import annotations

import threading
import time
from typing import Any

import pytest
from django.db import connections
from opentelemetry import trace
from opentelemetry.trace import SpanKind

import prs_otel
from prs_otel import expected_queries, performance_monitor, pipeline
from prs_otel.manual import monitor as module
from prs_otel.manual import readiness
from prs_otel.observation import RequestContext, current_request
from prs_otel.rollup import series
from prs_otel.rollup.source import ViewSource
from tests.support.measured import Measured
from tests.support.traces import Traces

SQL = "SELECT * FROM deals WHERE card = '4111' AND organization_id = 7"
HIDDEN = "SELECT * FROM deals WHERE card = ? AND organization_id = ?"


def record(query: str = SQL, seconds: float = 0.5, **more: Any) -> None:
    performance_monitor.record_query_performance(
        query=query, execution_time=seconds, **more
    )


def record_request(**more: Any) -> None:
    given = {
        "endpoint": "/api/deals/",
        "method": "GET",
        "response_time": 1.2,
        "status_code": 200,
    }
    performance_monitor.record_api_performance(**{**given, **more})


@pytest.fixture
def request_context() -> Any:
    request = RequestContext()
    request.keeps_outcomes = True
    request.route = "/deals/"
    token = current_request.set(request)
    yield request
    current_request.reset(token)


# --- Queries --------------------------------------------------------------------------


def test_a_recorded_query_is_a_span_with_its_true_start_and_end(
    traces: Traces, remembered: dict[str, str]
) -> None:
    before = time.time_ns()
    record()

    (span,) = traces.exported
    (query,) = traces.observed
    assert span.kind is SpanKind.CLIENT
    assert span.start_time
    assert span.end_time
    assert span.end_time - span.start_time == query.duration == 500_000_000
    assert before <= span.end_time <= time.time_ns()
    assert (query.kind, query.request) == (series.QUERY, None)
    assert remembered == {query.labels[1]: HIDDEN}


def test_a_recorded_query_has_the_fingerprint_of_an_automatic_one(
    traces: Traces, db: None
) -> None:
    with connections["default"].cursor() as cursor:
        cursor.execute("SELECT 4111")
    record("SELECT 17")

    *_, automatic, recorded = traces.observed
    assert automatic.labels == recorded.labels


def test_a_recorded_query_may_be_slow(traces: Traces) -> None:
    record(seconds=1.5)

    (query,) = traces.observed
    assert query.is_slow
    assert query.code is not None
    assert query.code.function == "record"


def test_a_recorded_query_counts_in_the_request_around_it(
    traces: Traces, request_context: RequestContext
) -> None:
    record()

    assert request_context.query_count == 1
    assert request_context.query_outcomes == [(500_000_000, False, False)]
    assert traces.observed[0].request is request_context


@pytest.mark.parametrize("organization_id", [None, 123])
def test_a_recorded_query_that_is_expected_is_no_repeat(
    traces: Traces, request_context: RequestContext, organization_id: int | None
) -> None:
    with expected_queries():
        record(organization_id=organization_id)
    assert request_context.repeats == {}

    record(organization_id=organization_id)
    assert [each.runs for each in request_context.repeats.values()] == [1]


def test_a_query_of_an_organisation_counts_for_it_outside_a_request(
    traces: Traces,
) -> None:
    record(organization_id=123)

    query, of_organization = traces.observed
    assert query.request is not None
    assert (query.request.organization_id, query.request.endpoint) == ("123", None)
    assert of_organization.kind == series.ORGANIZATION_QUERY
    assert of_organization.labels == ("123",)
    assert current_request.get() is None


def test_a_query_of_another_organisation_counts_for_that_one_only(
    traces: Traces, request_context: RequestContext
) -> None:
    record(organization_id=123)

    query, of_organization = traces.observed
    assert query.request is not None
    assert (query.request.organization_id, query.request.endpoint) == ("123", "/deals/")
    assert of_organization.labels == ("123",)
    assert (request_context.query_count, request_context.query_outcomes) == (1, [])
    assert current_request.get() is request_context


def test_recording_connects_to_no_database(
    traces: Traces, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(connections["default"]), "connect", None)

    record()

    assert len(traces.observed) == 1


def test_queries_are_recorded_from_many_threads_at_once(traces: Traces) -> None:
    def work() -> None:
        for _ in range(50):
            record()

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    assert len(traces.observed) == 400


# --- Requests -------------------------------------------------------------------------


def test_ids_that_are_not_told_apart_are_not_kept(
    traces: Traces, settings: Any
) -> None:
    off = {"TRACK_ORGANIZATIONS": False, "TRACK_USERS": False}
    settings.MONITORING_SETTINGS = off
    record(organization_id=123)
    record_request(organization_id=123, user_id=456)

    query, request = traces.observed
    assert query.kind == series.QUERY
    assert query.request is None
    assert request.request is not None
    assert (request.request.organization_id, request.request.user_id) == (None, None)
    for span in traces.exported:
        assert not {"prs.tenant.id", "user.id"} & (span.attributes or {}).keys()


def test_a_recorded_request_is_a_server_span(traces: Traces) -> None:
    record_request(organization_id=123, user_id=456)

    (span,) = traces.exported
    (request,) = traces.observed
    assert span.kind is SpanKind.SERVER
    assert span.name == "GET /api/deals/"
    assert request.kind == series.REQUEST
    assert request.labels == ("/api/deals/", "GET")
    assert (request.duration, request.is_error, request.is_slow) == (
        1_200_000_000,
        False,
        False,
    )
    assert request.request is not None
    assert request.request.organization_id == "123"
    assert request.request.user_id == "456"


@pytest.mark.parametrize(
    ("status", "is_error"), [(200, False), (404, False), (500, True)]
)
def test_a_recorded_request_fails_with_its_status(
    traces: Traces, status: int, is_error: bool
) -> None:
    record_request(status_code=status, response_time=3)

    (request,) = traces.observed
    assert (request.is_error, request.is_slow) == (is_error, True)


def test_a_recorded_request_leaves_the_one_that_runs_alone(
    traces: Traces, request_context: RequestContext
) -> None:
    with trace.get_tracer("application").start_as_current_span("work") as span:
        record_request()

        assert trace.get_current_span() is span
    assert current_request.get() is request_context
    assert not request_context.is_finished
    assert request_context.query_count == 0


def test_a_method_nobody_knows_makes_no_series(traces: Traces) -> None:
    record_request(method="get")
    record_request(method="BREW")

    assert [each.labels[1] for each in traces.observed] == ["GET", "_OTHER"]


# --- What cannot be recorded ----------------------------------------------------------


@pytest.mark.parametrize(
    "arguments",
    [{"query": ""}, {"seconds": -0.1}, {"seconds": float("nan")}],
)
def test_a_query_that_cannot_be_is_refused(
    traces: Traces, arguments: dict[str, Any]
) -> None:
    with pytest.raises(ValueError, match="cannot be"):
        record(**arguments)

    assert traces.observed == []


@pytest.mark.parametrize(
    "arguments",
    [
        {"endpoint": 7},
        {"method": None},
        {"status_code": "200"},
        {"user_id": 1.5},
        {"organization_id": 1.5},
    ],
)
def test_a_request_of_wrong_types_is_refused(
    traces: Traces, arguments: dict[str, Any]
) -> None:
    with pytest.raises(TypeError, match=f"^{next(iter(arguments))} cannot be"):
        record_request(**arguments)


# --- Metrics --------------------------------------------------------------------------


def test_a_metric_is_what_conditions_read_by_its_name(
    traces: Traces, monkeypatch: pytest.MonkeyPatch
) -> None:
    measured = Measured(now=time.time())
    monkeypatch.setattr(
        pipeline, "current", lambda: type("", (), {"rollup": measured.rollup})
    )

    performance_monitor.record_metric("custom_value", 99)
    performance_monitor.record_metric("custom_value", 101.5)
    measured.now = time.time() + 1
    source = ViewSource(measured.flush(), identity={})

    assert source.flat(now=measured.now)["custom_value"] == 101.5
    (point,) = source.query(
        "custom_value", aggregation="max", where={}, by=(), window=60, now=measured.now
    )
    assert (point.value, point.count) == (101.5, 2)


def test_a_metric_that_is_ours_is_refused(traces: Traces) -> None:
    with pytest.raises(ValueError, match="name cannot be 'cpu_percent'"):
        performance_monitor.record_metric("cpu_percent", 1)


# --- Reading --------------------------------------------------------------------------


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> Measured:
    found = Measured(now=time.time() + 1)
    monkeypatch.setattr(module, "_view", found.flush)
    return found


def test_the_summary_is_the_document_of_the_api(measured: Measured) -> None:
    measured.request(queries=[0.1])
    measured.now -= 1

    summary = performance_monitor.get_performance_summary(hours=24)

    assert summary["requests"]["count"] == 1
    assert summary["window"]["seconds"] == 86_400


def test_the_trends_are_the_document_of_the_api(measured: Measured) -> None:
    measured.request()
    measured.now -= 1

    trends = performance_monitor.get_performance_trends(hours=1)

    assert trends["window"]["seconds"] == pytest.approx(3_600, abs=60)
    counts = [point["requests"]["count"] or 0 for point in trends["points"]]
    assert sum(counts) == 1


def test_the_slowest_come_first(measured: Measured) -> None:
    for seconds in (0.5, 3.0, 1.0):
        measured.query(seconds)
        measured.request(seconds)
    measured.now -= 1

    queries = performance_monitor.get_slow_queries(limit=2)
    calls = performance_monitor.get_slow_api_calls(limit=2)

    assert [each["duration"] for each in queries] == [3.0, 1.0]
    assert [each["duration"] for each in calls] == [3.0, 1.0]


@pytest.mark.parametrize("hours", [0, -1, float("nan"), 8761])
def test_a_window_that_cannot_be_is_refused(hours: float) -> None:
    with pytest.raises(ValueError, match="hours cannot be"):
        performance_monitor.get_performance_summary(hours=hours)


@pytest.mark.parametrize("limit", [0, 101])
def test_a_limit_that_cannot_be_is_refused(limit: int) -> None:
    with pytest.raises(ValueError, match="limit cannot be"):
        performance_monitor.get_slow_queries(limit=limit)


def test_after_a_reset_everything_counts_from_zero(measured: Measured) -> None:
    measured.request()
    measured.now -= 1
    assert performance_monitor.get_performance_summary()["requests"]["count"] == 1

    told = performance_monitor.reset_counters()

    assert told["action"] == "reset_counters"
    assert told["removed_buckets"] > 0
    assert performance_monitor.get_performance_summary()["requests"]["count"] == 0


def test_what_is_older_than_the_retention_is_cleaned_up(measured: Measured) -> None:
    measured.now -= 25 * 3_600
    measured.restart()
    measured.request()
    measured.flush()
    measured.now += 25 * 3_600
    measured.restart()
    measured.request()
    measured.flush()

    told = performance_monitor.cleanup()

    assert (told["action"], told["expired_buckets"]) == ("cleanup", 1)
    week = performance_monitor.get_performance_summary(hours=168)
    assert week["requests"]["count"] == 1


# --- Where nothing is measured --------------------------------------------------------


@pytest.mark.parametrize("reason", ["test run", "switched off"])
def test_nothing_is_started_opened_or_raised_where_nothing_is_measured(
    reason: str, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    if reason == "switched off":
        settings.MONITORING_SETTINGS = {"ENABLED": False}
        monkeypatch.setattr(pipeline, "is_test_run", lambda: False)
    monkeypatch.setattr(pipeline, "_current", None)
    monkeypatch.setattr(pipeline, "Pipeline", None)

    record(query="", seconds=-1)
    record_request(status_code="none")
    performance_monitor.record_metric("", 1)

    assert not readiness.is_measuring()
    assert performance_monitor.get_performance_summary()["requests"]["count"] == 0
    assert performance_monitor.get_slow_queries() == []
    assert performance_monitor.get_slow_api_calls() == []
    assert performance_monitor.cleanup()["expired_buckets"] == 0
    assert performance_monitor.reset_counters()["removed_buckets"] == 0


def test_measuring_begins_with_the_first_call(monkeypatch: pytest.MonkeyPatch) -> None:
    from prs_otel.launcher import deferral

    begun: list[dict[str, bool]] = []
    monkeypatch.setattr(pipeline, "is_test_run", lambda: False)
    monkeypatch.setattr(deferral, "begin", lambda **given: begun.append(given))

    assert readiness.is_measuring()

    assert begun == [{"serving": False, "waits": True}]


def test_everything_is_offered_by_the_package() -> None:
    assert prs_otel.performance_monitor is performance_monitor
