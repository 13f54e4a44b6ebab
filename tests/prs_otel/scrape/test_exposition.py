from __future__ import annotations

from dataclasses import replace

import pytest
from prometheus_client.parser import text_string_to_metric_families

from prs_otel import semconv
from prs_otel.rollup import series
from prs_otel.rollup.cache_call import CacheCall
from prs_otel.rollup.cells import Cells
from prs_otel.scrape.exemplars import slowest
from prs_otel.scrape.exposition import written
from prs_otel.scrape.snapshot import READINGS, Snapshot, taken
from tests.support.measured import Measured, Whose
from tests.support.scraped import OPENMETRICS, exemplars, families, scraped, value

NOW = 1_700_000_000.0
ROUTE = {"http_route": "/deals/", "http_request_method": "GET"}
REQUESTS = "http_server_request_duration_seconds"


@pytest.fixture
def measured() -> Measured:
    return Measured(now=NOW)


def test_requests_are_a_histogram_with_an_exact_sum_and_count(
    measured: Measured,
) -> None:
    for seconds in (0.02, 0.2, 2.0):
        measured.request(seconds)

    text = scraped(measured)

    assert value(text, f"{REQUESTS}_count", **ROUTE) == 3
    assert value(text, f"{REQUESTS}_sum", **ROUTE) == pytest.approx(2.22)
    counts = [
        value(text, f"{REQUESTS}_bucket", **ROUTE, le=edge)
        for edge in ("0.01", "0.025", "0.25", "1.0", "2.5", "+Inf")
    ]
    assert counts == [0, 1, 2, 2, 3, 3]


def test_what_requests_were_is_counted_from_zero_on(measured: Measured) -> None:
    measured.request(3.0, status=500, queries=(0.1, 0.1))
    measured.request(whose=Whose("/plain/"))

    text = scraped(measured)

    for name, count in (("errors", 1), ("slow", 1), ("queries", 2), ("n_plus_one", 0)):
        metric = f"prs_http_server_request_{name}_total"
        plain = {**ROUTE, "http_route": "/plain/"}
        assert value(text, metric, **ROUTE) == count
        assert value(text, metric, **plain) == 0


def test_queries_are_told_apart_by_their_database(measured: Measured) -> None:
    measured.query(text="SELECT 1")
    measured.query(text="SELECT 2", is_error=True)
    measured.query(alias="other")

    text = scraped(measured)

    queries = "db_client_operation_duration_seconds_count"
    assert value(text, queries, prs_db_alias="default") == 2
    assert value(text, queries, prs_db_alias="other") == 1
    errors = "prs_db_client_operation_errors_total"
    assert value(text, errors, prs_db_alias="default") == 1
    assert "SELECT" not in text


def test_tasks_organisations_and_caches_are_counted_and_no_users(
    measured: Measured,
) -> None:
    measured.task(is_error=True)
    measured.request(whose=Whose(organization_id="acme", user_id="secret-user"))
    call = CacheCall(2_000_000, 3, 1, is_error=False)
    measured.rollup.record_cache(("default", "get_many"), call)

    text = scraped(measured)

    task = {"prs_task_name": "shop.bill", "prs_task_kind": "celery"}
    assert value(text, "prs_task_duration_seconds_count", **task) == 1
    assert value(text, "prs_task_errors_total", **task) == 1
    assert value(text, "prs_tenant_requests_total", prs_tenant_id="acme") == 1
    cache = {"prs_cache_alias": "default", "prs_cache_operation": "get_many"}
    assert value(text, "prs_cache_operations_total", **cache) == 1
    assert value(text, "prs_cache_operation_time_seconds_total", **cache) == (
        pytest.approx(0.002)
    )
    assert value(text, "prs_cache_hits_total", prs_cache_alias="default") == 3
    assert value(text, "prs_cache_misses_total", prs_cache_alias="default") == 1
    assert "secret-user" not in text


def test_each_host_has_its_latest_reading(measured: Measured) -> None:
    measured.gauge(semconv.SYSTEM_CPU_UTILIZATION, 0.9)
    measured.gauge(semconv.SYSTEM_CPU_UTILIZATION, 0.25)
    measured.gauge(semconv.SYSTEM_CPU_UTILIZATION, 0.5, host="web-2")
    measured.gauge("deals.backlog", 17)

    text = scraped(measured)

    assert value(text, "system_cpu_utilization_ratio", host_name="web-1") == 0.25
    assert value(text, "system_cpu_utilization_ratio", host_name="web-2") == 0.5
    assert "backlog" not in text


def test_a_reading_of_long_ago_is_none(measured: Measured) -> None:
    measured.gauge(semconv.SYSTEM_CPU_UTILIZATION, 0.9)
    view = measured.flush()

    snapshot = taken(view, limit=10, now=NOW + READINGS + 60)

    assert snapshot is not None
    assert snapshot.readings == {}


def test_the_slowest_of_a_bucket_is_its_exemplar(measured: Measured) -> None:
    for seconds in (0.011, 0.02, 0.012, 2.0):
        measured.request(seconds)
    measured.query(0.3)
    measured.task(0.3)

    found = {
        (edge, each.labels["trace_id"], each.labels["span_id"], each.value)
        for edge, each in exemplars(scraped(measured))
    }

    assert found == {
        ("0.025", f"{2:032x}", f"{2:016x}", 0.02),
        ("2.5", f"{4:032x}", f"{4:016x}", 2.0),
        ("0.5", f"{5:032x}", f"{5:016x}", 0.3),
    }


def test_who_has_no_trace_is_no_exemplar(measured: Measured) -> None:
    measured.request()
    view = measured.flush()
    (sample,) = view.slowest(series.REQUEST, limit=1, seconds=60, now=NOW)

    assert slowest([replace(sample, trace_id="")]) == {}
    assert len(slowest([replace(sample, endpoint=None)])) == 1


def test_an_exemplar_may_have_no_span(measured: Measured) -> None:
    measured.request()
    snapshot = taken(measured.flush(), limit=10, now=NOW)
    assert snapshot is not None
    samples = [replace(each, span_id="") for each in snapshot.samples]

    text = written(replace(snapshot, samples=samples), accept=OPENMETRICS)[0].decode()

    ((_, exemplar),) = exemplars(text)
    assert exemplar.labels.keys() == {"trace_id"}


def test_a_series_beyond_the_limit_has_no_exemplar_of_its_own() -> None:
    measured = Measured(now=NOW, series_limit=1)
    measured.request(whose=Whose("/a/"))
    measured.request(whose=Whose("/b/"))

    text = scraped(measured)

    other = {"http_route": "__other__", "http_request_method": "__other__"}
    assert value(text, f"{REQUESTS}_count", **other) == 1
    assert len(list(exemplars(text))) == 1


def test_an_empty_store_has_every_metric_and_no_series(measured: Measured) -> None:
    found = families(scraped(measured))

    assert REQUESTS in found
    assert not any(family.samples for family in found.values())


def test_labels_may_be_any_text(measured: Measured) -> None:
    strange = 'a"b\\c\nd\udc80'
    measured.request(whose=Whose(organization_id=strange))

    text = scraped(measured)

    shown = 'a"b\\c\nd\\udc80'
    assert value(text, "prs_tenant_requests_total", prs_tenant_id=shown) == 1


@pytest.mark.parametrize(
    "accept",
    ["", "text/html,*/*", "text/plain;version=0.0.4", "application/json"],
)
def test_who_does_not_ask_for_openmetrics_gets_plain_text(
    measured: Measured, accept: str
) -> None:
    measured.request()
    snapshot = taken(measured.flush(), limit=10, now=NOW)
    assert snapshot is not None

    text, content_type = written(snapshot, accept=accept)

    assert content_type.startswith("text/plain; version=0.0.4")
    names = {each.name for each in text_string_to_metric_families(text.decode())}
    assert REQUESTS in names
    assert b"trace_id" not in text


def test_who_asks_for_openmetrics_gets_it() -> None:
    accept = "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;q=0.1"

    text, content_type = written(Snapshot(Cells(10), (), {}), accept=accept)

    assert content_type.startswith("application/openmetrics-text; version=1.0.0")
    assert text.endswith(b"# EOF\n")


def test_a_version_that_is_none_is_no_error() -> None:
    accept = "application/openmetrics-text; version=x.y"

    text, _ = written(Snapshot(Cells(10), (), {}), accept=accept)

    assert b"# TYPE" in text
