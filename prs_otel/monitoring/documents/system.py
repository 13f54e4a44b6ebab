"""What the hosts and the workers are doing now."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from prs_otel import semconv
from prs_otel.monitoring.documents import figures as shown
from prs_otel.monitoring.documents import monitor
from prs_otel.monitoring.documents.caches import cache_figures, cache_metrics
from prs_otel.monitoring.schemas import (
    ConnectionFigures,
    HostMetrics,
    SystemFigures,
    SystemMetrics,
    WorkerMetrics,
)
from prs_otel.rollup import labelled

if TYPE_CHECKING:
    from prs_otel.rollup.gauge import Gauge
    from prs_otel.rollup.view import MetricsView
    from prs_otel.store.base import Beat

RECENT: Final = 300.0
"""How old, in seconds, a reading may be and still be called current."""

_HOST_GAUGES: Final = {
    semconv.SYSTEM_CPU_UTILIZATION: "cpu_utilization",
    semconv.SYSTEM_MEMORY_UTILIZATION: "memory_utilization",
    semconv.SYSTEM_FILESYSTEM_UTILIZATION: "disk_utilization",
    semconv.SYSTEM_CPU_LOAD_AVERAGE_1M: "load_average_1m",
}


def system_metrics(view: MetricsView, *, now: float) -> SystemMetrics:
    """Return the current state of every host and worker; raises `StoreError`."""
    workers = view.workers(now=now)
    hosts = host_metrics(view, now=now)
    window = view.window(RECENT, now=now)
    return SystemMetrics(
        time=shown.utc(now),
        system=system_figures(hosts, workers),
        cache=cache_figures(window),
        caches=cache_metrics(window, view.processes(now=now)),
        hosts=hosts,
        workers=[worker_metrics(worker) for worker in workers],
        monitor=monitor.monitor_figures(workers, now=now),
    )


def system_figures(
    hosts: Sequence[HostMetrics], workers: Sequence[Beat]
) -> SystemFigures:
    """Return the readings of the busiest host, and all database connections."""
    return SystemFigures(
        cpu_utilization=_highest([host.cpu_utilization for host in hosts]),
        memory_utilization=_highest([host.memory_utilization for host in hosts]),
        disk_utilization=_highest([host.disk_utilization for host in hosts]),
        database_connections=monitor.database_connections(workers),
    )


def host_metrics(view: MetricsView, *, now: float) -> list[HostMetrics]:
    """Return the latest readings of each host; raises `StoreError`."""
    by_host: dict[str, dict[str, Gauge]] = {}
    gauges = view.all_gauges(seconds=RECENT, now=now)
    for (name, labels), gauge in gauges.items():
        if name in _HOST_GAUGES and labels:
            by_host.setdefault(labels[0], {})[_HOST_GAUGES[name]] = gauge
    return [_host(host, by_host[host]) for host in sorted(by_host)]


def worker_metrics(worker: Beat) -> WorkerMetrics:
    """Return what one live worker last said of itself."""
    return WorkerMetrics(
        worker=worker.worker,
        host=worker.host,
        pid=worker.pid,
        started_at=shown.utc(worker.started_at),
        seen_at=shown.utc(worker.seen_at),
        cpu_utilization=worker.figures.get(semconv.PROCESS_CPU_UTILIZATION),
        memory_usage=_whole(worker, semconv.PROCESS_MEMORY_USAGE),
        thread_count=_whole(worker, semconv.PROCESS_THREAD_COUNT),
        database_connections=_whole(worker, semconv.DB_CLIENT_CONNECTION_COUNT),
        connections=connection_figures(worker),
        dropped=monitor.total([worker], monitor.DROPPED),
        overflowed=monitor.total([worker], monitor.OVERFLOWED),
        failures=dict(worker.failures),
    )


def connection_figures(worker: Beat) -> list[ConnectionFigures]:
    """Return the database connections that a live worker has open, by alias."""
    counts = labelled.parts(worker.figures, semconv.DB_CLIENT_CONNECTION_COUNT)
    limits = labelled.parts(worker.figures, semconv.DB_CLIENT_CONNECTION_MAX)
    waiting = labelled.parts(
        worker.figures, semconv.DB_CLIENT_CONNECTION_PENDING_REQUESTS
    )
    return [
        ConnectionFigures(
            alias=alias,
            used=int(counts.get((alias, semconv.USED), 0)),
            idle=int(counts.get((alias, semconv.IDLE), 0)),
            limit=_whole_or_none(limits.get((alias,))),
            waiting=_whole_or_none(waiting.get((alias,))),
        )
        for alias in sorted({alias for alias, _ in counts})
    ]


def _host(host: str, gauges: dict[str, Gauge]) -> HostMetrics:
    latest = {
        field: gauges[field].last if field in gauges else None
        for field in _HOST_GAUGES.values()
    }
    newest = max(gauge.at for gauge in gauges.values())
    return HostMetrics(host=host, time=shown.utc(newest), **latest)


def _highest(values: Sequence[float | None]) -> float | None:
    return max((value for value in values if value is not None), default=None)


def _whole(worker: Beat, figure: str) -> int | None:
    return _whole_or_none(worker.figures.get(figure))


def _whole_or_none(value: float | None) -> int | None:
    return None if value is None else int(value)
