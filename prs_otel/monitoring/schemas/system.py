"""The document of `system/metrics/`."""

from __future__ import annotations

from datetime import datetime

from prs_otel.monitoring.schemas.document import Document
from prs_otel.monitoring.schemas.figures import (
    CacheFigures,
    MonitorFigures,
    SystemFigures,
)


class HostMetrics(Document):
    """The latest readings of one host."""

    host: str
    cpu_utilization: float | None
    memory_utilization: float | None
    disk_utilization: float | None
    load_average_1m: float | None
    time: datetime


class WorkerMetrics(Document):
    """One live process; `failures` counts, by place, what went wrong in the monitor there."""

    worker: str
    host: str
    pid: int
    started_at: datetime
    seen_at: datetime
    cpu_utilization: float | None
    memory_usage: int | None
    thread_count: int | None
    database_connections: int | None
    dropped: int
    overflowed: int
    failures: dict[str, int]


class SystemMetrics(Document):
    """What the hosts and workers are doing now; the cache over the last five minutes."""

    time: datetime
    system: SystemFigures
    cache: CacheFigures
    hosts: list[HostMetrics]
    workers: list[WorkerMetrics]
    monitor: MonitorFigures
