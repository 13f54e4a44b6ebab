from __future__ import annotations

import pytest

from prs_otel import semconv
from prs_otel.monitoring import documents
from prs_otel.rollup import series
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

    assert now.hit_rate == pytest.approx(0.75)
    assert later.hit_rate is None
