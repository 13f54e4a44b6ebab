from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prs_otel import semconv
from prs_otel.instrumentation.n_plus_one import Finding
from prs_otel.monitoring import documents
from prs_otel.monitoring.schemas import RequestFigures, Summary
from prs_otel.rollup import series
from prs_otel.rollup.cache_call import CacheCall
from tests.support.measured import Measured, Whose

NOW = 1_700_000_000.0
PERCENTILE_ERROR = 0.016


def summary_of(measured: Measured, hours: float = 24.0) -> Summary:
    return documents.summary(measured.flush(), hours=hours, now=NOW)


def test_nothing_measured_is_a_summary_of_zeros(measured: Measured) -> None:
    summary = documents.summary(measured.view, hours=24, now=NOW)

    assert summary.requests.count == 0
    assert summary.requests.error_rate == 0
    assert summary.requests.duration.p99 == 0
    assert summary.cache is not None
    assert summary.cache.hit_rate is None
    assert summary.cache.operation_count == 0
    assert summary.system.cpu_utilization is None
    assert summary.monitor.flush_lag_seconds is None
    assert summary.endpoints == []
    assert summary.organizations == []


def test_the_window_says_what_it_covers(measured: Measured) -> None:
    window = summary_of(measured, hours=2).window

    assert window.start.isoformat() == "2023-11-14T20:13:20+00:00"
    assert window.end.isoformat() == "2023-11-14T22:13:20+00:00"
    assert window.seconds == 7200
    assert 0 <= window.covered_seconds <= 7200


def test_requests_are_counted_with_their_rates_and_durations(
    measured: Measured,
) -> None:
    for _ in range(97):
        measured.request(0.1)
    measured.request(3.0)
    measured.request(0.1, status=500)
    measured.request(0.1, status=404)

    requests = summary_of(measured).requests

    assert (requests.count, requests.error_count, requests.slow_count) == (100, 1, 1)
    assert requests.error_rate == pytest.approx(0.01)
    assert requests.slow_rate == pytest.approx(0.01)
    assert requests.duration.mean == pytest.approx(0.129)
    assert requests.duration.max == pytest.approx(3.0)
    assert requests.duration.p50 == pytest.approx(0.1, rel=PERCENTILE_ERROR)
    assert requests.duration.p99 == pytest.approx(0.1, rel=PERCENTILE_ERROR)


def test_queries_are_counted_with_their_errors(measured: Measured) -> None:
    measured.query(0.01)
    measured.query(2.0, is_error=True)

    queries = summary_of(measured).queries

    assert (queries.count, queries.error_count, queries.slow_count) == (2, 1, 1)


def test_every_endpoint_and_method_has_a_row(measured: Measured) -> None:
    for number in range(150):
        measured.request(whose=Whose(f"/route-{number}/"))
    measured.request(method="POST", whose=Whose("/route-0/"))
    measured.request(whose=Whose(None))

    rows = {(row.endpoint, row.method): row for row in summary_of(measured).endpoints}

    assert len(rows) == 152
    assert rows["/route-0/", "POST"].count == 1
    assert rows[series.UNRESOLVED, "GET"].count == 1


def test_the_endpoint_that_took_most_time_is_first(measured: Measured) -> None:
    for _ in range(10):
        measured.request(0.01, whose=Whose("/often/"))
    measured.request(1.0, whose=Whose("/slow/"))

    endpoints = [row.endpoint for row in summary_of(measured).endpoints]

    assert endpoints == ["/slow/", "/often/"]


def test_endpoints_beyond_the_cap_are_one_row_and_the_sum_still_holds() -> None:
    measured = Measured(now=NOW, series_limit=3)
    for number in range(20):
        measured.request(whose=Whose(f"/route-{number}/"))

    summary = summary_of(measured)
    endpoints = {row.endpoint for row in summary.endpoints}

    assert series.OTHER in endpoints
    assert sum(row.count for row in summary.endpoints) == summary.requests.count == 20


def test_a_fingerprint_is_one_row_over_all_databases(measured: Measured) -> None:
    measured.query(0.1, text="SELECT a", alias="default")
    measured.query(0.3, text="SELECT a", alias="replica")
    measured.query(0.1, text="SELECT b")

    rows = {row.fingerprint: row for row in summary_of(measured).fingerprints}

    assert {key: row.count for key, row in rows.items()} == {
        "a": 2,
        "b": 1,
    }
    assert rows["a"].query == "SELECT a"
    assert rows["a"].duration.mean == pytest.approx(0.2)
    assert rows["a"].duration.max == pytest.approx(0.3)


def test_requests_of_nobody_are_the_row_null_of_organizations_and_users(
    measured: Measured,
) -> None:
    measured.request(0.1, whose=Whose(organization_id="7", user_id="1"))
    measured.request(0.1, whose=Whose(organization_id="7", user_id="2"))
    measured.request(0.5, whose=Whose(organization_id="8"), status=500)
    measured.request(0.3)

    summary = summary_of(measured)
    organizations = {row.organization_id: row for row in summary.organizations or ()}
    users = {row.user_id: row.count for row in summary.users or ()}

    assert {key: row.count for key, row in organizations.items()} == {
        "7": 2,
        "8": 1,
        None: 1,
    }
    assert organizations["8"].error_rate == 1.0
    assert organizations[None].error_count == 0
    assert organizations[None].duration.mean == pytest.approx(0.3)
    assert organizations[None].duration.p50 == pytest.approx(0.3, rel=PERCENTILE_ERROR)
    assert users == {"1": 1, "2": 1, None: 2}


def test_organizations_have_no_row_null_when_every_request_has_one(
    measured: Measured,
) -> None:
    measured.request(whose=Whose(organization_id="7"))

    rows = summary_of(measured).organizations or ()
    ids = [row.organization_id for row in rows]

    assert ids == ["7"]


@settings(deadline=None)
@given(
    limit=st.integers(min_value=2, max_value=6),
    asked=st.lists(
        st.tuples(
            st.sampled_from((0.1, 0.5, 3.0)),
            st.sampled_from((200, 302, 404, 500)),
            st.none() | st.integers(0, 9).map(str),
            st.none() | st.integers(0, 9).map(str),
        ),
        max_size=60,
    ),
)
def test_organizations_and_users_sum_to_the_total_whatever_was_folded(
    limit: int, asked: list[tuple[float, int, str | None, str | None]]
) -> None:
    measured = Measured(now=NOW, series_limit=limit)
    for number, (seconds, status, organization_id, user_id) in enumerate(asked):
        whose = Whose(organization_id=organization_id, user_id=user_id)
        measured.request(seconds, status=status, whose=whose)
        if number == len(asked) // 2:
            measured.flush()
            measured.restart()

    summary = summary_of(measured)

    for rows in (summary.organizations, summary.users):
        assert rows is not None
        assert _sums(rows) == _sums([summary.requests])
        assert len(rows) <= limit + 2


def test_what_is_switched_off_is_null(measured: Measured, settings: Any) -> None:
    measured.request(whose=Whose(organization_id="7", user_id="1"))
    measured.rollup.count(series.CACHE_HITS, ("default",), 6)
    off = dict.fromkeys(("TRACK_ORGANIZATIONS", "TRACK_USERS", "TRACK_CACHE"), False)
    settings.MONITORING_SETTINGS = off

    summary = summary_of(measured)
    of_seven = documents.organization_summary(measured.view, "7", hours=1, now=NOW)

    assert (summary.organizations, summary.users, summary.cache) == (None, None, None)
    assert summary.requests.count == 1
    assert not of_seven.is_covered


def _sums(rows: Sequence[RequestFigures]) -> tuple[int, int, int]:
    return (
        sum(row.count for row in rows),
        sum(row.error_count for row in rows),
        sum(row.slow_count for row in rows),
    )


def test_requests_with_a_finding_are_counted_not_the_findings(
    measured: Measured,
) -> None:
    two = [Finding("a", 10, 1_000), Finding("b", 6, 1_000)]
    measured.query(text="SELECT a")
    measured.query(text="SELECT b")
    measured.query(text="SELECT c")
    measured.request(findings=two)
    measured.request(findings=two[:1])
    measured.request()

    summary = summary_of(measured)
    by_fingerprint = {
        row.fingerprint: row.n_plus_one_count for row in summary.fingerprints
    }

    assert summary.queries.n_plus_one_count == 2
    assert by_fingerprint == {"a": 2, "b": 1, "c": 0}


def test_the_hit_rate_is_over_all_caches(measured: Measured) -> None:
    measured.rollup.count(series.CACHE_HITS, ("default",), 6)
    measured.rollup.count(series.CACHE_HITS, ("sessions",), 3)
    measured.rollup.count(series.CACHE_MISSES, ("default",), 3)

    cache = summary_of(measured).cache

    assert cache is not None
    assert (cache.hits, cache.misses) == (9, 3)
    assert cache.hit_rate == pytest.approx(0.75)


def test_calls_of_all_caches_are_taken_together(measured: Measured) -> None:
    for labels, duration, is_error in (
        (("default", "get"), 1_000_000, False),
        (("default", "set"), 2_000_000, False),
        (("sessions", "get"), 9_000_000, True),
    ):
        measured.rollup.record_cache(labels, CacheCall(duration, 0, 0, is_error))

    cache = summary_of(measured).cache

    assert cache is not None
    assert (cache.operation_count, cache.error_count) == (3, 1)
    assert cache.error_rate == pytest.approx(1 / 3)
    assert cache.duration.mean == pytest.approx(0.004)
    assert cache.duration.max == pytest.approx(0.009)


def test_the_system_is_its_busiest_host_and_all_connections(
    measured: Measured,
) -> None:
    measured.gauge(semconv.SYSTEM_CPU_UTILIZATION, 0.2, host="web-1")
    measured.gauge(semconv.SYSTEM_CPU_UTILIZATION, 0.9, host="web-2")
    measured.gauge(semconv.SYSTEM_FILESYSTEM_UTILIZATION, 0.5, host="web-1")
    measured.flush({semconv.DB_CLIENT_CONNECTION_COUNT: 3.0})
    measured.restart()
    view = measured.flush({semconv.DB_CLIENT_CONNECTION_COUNT: 2.0})

    system = documents.summary(view, hours=1, now=NOW).system

    assert system.cpu_utilization == pytest.approx(0.9)
    assert system.disk_utilization == pytest.approx(0.5)
    assert system.memory_utilization is None
    assert system.database_connections == 5


def test_the_monitor_sums_up_its_workers(measured: Measured) -> None:
    measured.flush({"prs.monitor.dropped": 2.0, "prs.monitor.overhead": 0.01})
    measured.restart()
    view = measured.flush(
        {
            "prs.monitor.overflowed": 5.0,
            "prs.monitor.lost_spans": 3.0,
            "prs.monitor.overhead": 0.03,
        }
    )

    monitor = documents.summary(view, hours=1, now=NOW + 4).monitor

    assert (monitor.workers, monitor.hosts) == (2, 1)
    assert (monitor.dropped, monitor.overflowed, monitor.lost_spans) == (2, 5, 3)
    assert monitor.flush_lag_seconds == pytest.approx(4.0)
    assert monitor.overhead == pytest.approx(0.02)


def test_an_organization_sees_its_own_totals_and_nothing_else(
    measured: Measured,
) -> None:
    measured.request(0.1, whose=Whose(organization_id="7"), queries=[0.01, 2.0])
    measured.request(
        0.1, whose=Whose(organization_id="7"), findings=[Finding("a", 9, 1)]
    )
    measured.request(9.0, whose=Whose(organization_id="8"), status=500)

    document = documents.organization_summary(measured.flush(), "7", hours=24, now=NOW)

    assert document.organization_id == "7"
    assert document.is_covered
    assert (document.requests.count, document.requests.error_count) == (2, 0)
    assert document.requests.duration.max == pytest.approx(0.1)
    assert (document.queries.count, document.queries.n_plus_one_count) == (2, 1)
    assert set(document.model_dump()) == {
        "organization_id",
        "window",
        "is_covered",
        "requests",
        "queries",
    }


def test_an_organization_is_not_covered_once_some_were_folded() -> None:
    measured = Measured(now=NOW, series_limit=2)
    for number in range(5):
        measured.request(whose=Whose(organization_id=str(number)))

    document = documents.organization_summary(measured.flush(), "4", hours=24, now=NOW)

    assert not document.is_covered


def test_tasks_are_counted_together_and_by_name(measured: Measured) -> None:
    measured.task(61.0, queries=(0.5, 0.25), findings=[Finding("f", 6, 10, None)])
    measured.task(1.0, is_error=True)
    measured.task(2.0, name="seed", kind="command", queries=(0.125,))

    found = summary_of(measured).tasks

    assert (found.count, found.error_count, found.slow_count) == (3, 1, 1)
    assert (found.query_count, found.query_duration) == (3, 0.875)
    assert found.n_plus_one_count == 1
    assert found.duration.max == pytest.approx(61.0)
    first, second = found.tasks
    assert (first.task, first.kind, first.count) == ("shop.bill", "celery", 2)
    assert (first.error_rate, first.slow_rate, first.query_count) == (0.5, 0.5, 2)
    assert (second.task, second.kind, second.query_count) == ("seed", "command", 1)


def test_a_task_is_no_request(measured: Measured) -> None:
    measured.task(queries=(0.5,), findings=[Finding("f", 6, 10, None)])

    found = summary_of(measured)

    assert (found.requests.count, found.queries.n_plus_one_count) == (0, 0)
    assert (found.endpoints, found.users) == ([], [])
