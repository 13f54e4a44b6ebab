"""The document of `system/metrics/`."""

from __future__ import annotations

from datetime import datetime

from prs_otel.monitoring.schemas.document import Document
from prs_otel.monitoring.schemas.figures import (
    CacheFigures,
    DurationFigures,
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


class ConnectionFigures(Document):
    """The connections to one database that a process has open.

    Without a pool each belongs to a thread: all are used. Of a pool, `idle` ones wait to be
    taken, and so many requests are `waiting` for one; it opens no more than `limit`.
    """

    alias: str
    used: int
    idle: int
    limit: int | None
    waiting: int | None


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
    connections: list[ConnectionFigures]
    dropped: int
    overflowed: int
    failures: dict[str, int]


class CacheOperation(Document):
    """The calls of one method of a cache; `aget` counts as `get`."""

    operation: str
    count: int
    error_count: int
    duration: DurationFigures


class CacheMetrics(CacheFigures):
    """One cache, by its alias; null is what its backend does not tell.

    Of a cache in the memory of each process, usage is the sum over all of them. Evictions
    are those since the server was started.
    """

    alias: str
    operations: list[CacheOperation]
    memory_usage: int | None
    memory_limit: int | None
    item_count: int | None
    evictions: int | None


class SystemMetrics(Document):
    """What the hosts and workers are doing now; caches over the last five minutes.

    Null is what is switched off.
    """

    time: datetime
    system: SystemFigures
    cache: CacheFigures | None
    caches: list[CacheMetrics] | None
    hosts: list[HostMetrics]
    workers: list[WorkerMetrics]
    monitor: MonitorFigures
