from __future__ import annotations

from typing import Any

import pytest

from prs_otel import semconv
from prs_otel.instrumentation.cache_usage import LOCAL, SHARED
from prs_otel.monitoring import documents
from prs_otel.monitoring.schemas import CacheMetrics
from prs_otel.rollup import labelled, series
from prs_otel.rollup.cache_call import CacheCall
from prs_otel.rollup.view import MetricsView
from tests.support.measured import Measured

NOW = 1_700_000_000.0


def test_every_host_shows_its_latest_readings(measured: Measured) -> None:
    measured.gauge(semconv.SYSTEM_CPU_UTILIZATION, 0.9)
    measured.gauge(semconv.SYSTEM_CPU_UTILIZATION, 0.3)
    measured.gauge(semconv.SYSTEM_MEMORY_UTILIZATION, 0.4)
    measured.gauge(semconv.SYSTEM_FILESYSTEM_UTILIZATION, 0.5)
    measured.gauge(semconv.SYSTEM_CPU_LOAD_AVERAGE_1M, 1.7)
    measured.gauge(semconv.SYSTEM_CPU_UTILIZATION, 0.1, host="web-2")

    hosts = documents.system_metrics(measured.flush(), now=NOW).hosts

    assert hosts[0].model_dump(mode="json") == {
        "host": "web-1",
        "cpu_utilization": pytest.approx(0.3),
        "memory_utilization": pytest.approx(0.4),
        "disk_utilization": pytest.approx(0.5),
        "load_average_1m": pytest.approx(1.7),
        "time": "2023-11-14T22:13:20Z",
    }
    assert [host.host for host in hosts] == ["web-1", "web-2"]
    assert hosts[1].memory_utilization is None


def test_other_gauges_make_no_host(measured: Measured) -> None:
    measured.gauge("deals.backlog", 17, host="queue-1")

    assert documents.system_metrics(measured.flush(), now=NOW).hosts == []


def test_a_reading_of_long_ago_is_not_current(measured: Measured) -> None:
    measured.gauge(semconv.SYSTEM_CPU_UTILIZATION, 0.9)
    view = measured.flush()

    document = documents.system_metrics(view, now=NOW + 3_600)

    assert document.hosts == []
    assert document.system.cpu_utilization is None


def test_every_worker_shows_what_it_says_of_itself(measured: Measured) -> None:
    view = measured.flush(
        {
            semconv.PROCESS_CPU_UTILIZATION: 0.25,
            semconv.PROCESS_MEMORY_USAGE: 64_000_000.0,
            semconv.PROCESS_THREAD_COUNT: 4.0,
            semconv.DB_CLIENT_CONNECTION_COUNT: 2.0,
            labelled.key(semconv.DB_CLIENT_CONNECTION_COUNT, "default", "used"): 1.0,
            labelled.key(semconv.DB_CLIENT_CONNECTION_COUNT, "default", "idle"): 1.0,
            labelled.key(semconv.DB_CLIENT_CONNECTION_MAX, "default"): 8.0,
            labelled.key(semconv.DB_CLIENT_CONNECTION_COUNT, "archive", "used"): 0.0,
            "prs.monitor.dropped": 1.0,
        },
        {"processor.on_end": 3},
    )

    (worker,) = documents.system_metrics(view, now=NOW).workers

    assert worker.model_dump(mode="json", exclude={"worker"}) == {
        "host": "web-1",
        "pid": 4_000,
        "started_at": "2023-11-14T22:13:10Z",
        "seen_at": "2023-11-14T22:13:20Z",
        "cpu_utilization": pytest.approx(0.25),
        "memory_usage": 64_000_000,
        "thread_count": 4,
        "database_connections": 2,
        "connections": [
            {"alias": "archive", "used": 0, "idle": 0, "limit": None, "waiting": None},
            {"alias": "default", "used": 1, "idle": 1, "limit": 8, "waiting": None},
        ],
        "dropped": 1,
        "overflowed": 0,
        "failures": {"processor.on_end": 3},
    }


def test_a_worker_that_has_not_read_its_gauges_shows_unknown(
    measured: Measured,
) -> None:
    (worker,) = documents.system_metrics(measured.flush(), now=NOW).workers

    assert worker.cpu_utilization is None
    assert worker.memory_usage is None


def test_the_cache_is_that_of_the_last_minutes(measured: Measured) -> None:
    measured.rollup.count(series.CACHE_HITS, ("default",), 3)
    measured.rollup.count(series.CACHE_MISSES, ("default",), 1)
    view = measured.flush()

    now = documents.system_metrics(view, now=NOW).cache
    later = documents.system_metrics(view, now=NOW + 3_600).cache

    assert now is not None
    assert later is not None
    assert now.hit_rate == pytest.approx(0.75)
    assert later.hit_rate is None


def caches_of(view: MetricsView) -> dict[str, CacheMetrics]:
    caches = documents.system_metrics(view, now=NOW).caches
    assert caches is not None
    return {cache.alias: cache for cache in caches}


def test_each_cache_has_its_figures_and_those_of_its_operations(
    measured: Measured,
) -> None:
    record = measured.rollup.record_cache
    record(("default", "get_many"), CacheCall(2_000_000, 3, 1, is_error=False))
    record(("default", "get"), CacheCall(4_000_000, 0, 0, is_error=True))
    record(("sessions", "set"), CacheCall(1_000_000, 0, 0, is_error=False))

    caches = caches_of(measured.flush())

    assert list(caches) == ["default", "sessions"]
    default = caches["default"]
    assert (default.operation_count, default.error_count) == (2, 1)
    assert (default.hits, default.misses, default.hit_rate) == (3, 1, 0.75)
    assert default.error_rate == pytest.approx(0.5)
    assert default.duration.max == pytest.approx(0.004)
    assert [(each.operation, each.count) for each in default.operations] == [
        ("get", 1),
        ("get_many", 1),
    ]
    assert default.operations[0].error_count == 1
    assert default.operations[1].duration.mean == pytest.approx(0.002)
    assert caches["sessions"].hit_rate is None
    assert default.memory_usage is None


def test_memory_of_processes_adds_up_and_that_of_a_server_does_not(
    measured: Measured,
) -> None:
    memory = semconv.PRS_CACHE_MEMORY_USAGE
    for own, server in ((100.0, 5_000.0), (20.0, 6_000.0)):
        measured.flush(
            {
                labelled.key(memory, "default", LOCAL): own,
                labelled.key(memory, "shop", SHARED): server,
                labelled.key(semconv.PRS_CACHE_MEMORY_LIMIT, "shop", SHARED): 8_000.0,
                labelled.key(semconv.PRS_CACHE_ITEM_COUNT, "shop", SHARED): 7.0,
                labelled.key(semconv.PRS_CACHE_EVICTIONS, "shop", SHARED): 3.0,
            }
        )
        measured.now += 1
        measured.restart()

    caches = caches_of(measured.view)

    assert caches["default"].memory_usage == 120
    assert caches["default"].evictions is None
    shop = caches["shop"]
    assert (shop.memory_usage, shop.memory_limit) == (6_000, 8_000)
    assert (shop.item_count, shop.evictions) == (7, 3)


def test_caches_that_are_not_measured_are_null(
    measured: Measured, settings: Any
) -> None:
    settings.MONITORING_SETTINGS = {"TRACK_CACHE": False}
    document = documents.system_metrics(measured.flush(), now=NOW)

    assert (document.cache, document.caches) == (None, None)
