"""The figures that several documents show."""

from __future__ import annotations

from datetime import datetime

from prs_otel.monitoring.schemas.document import Document


class WindowDocument(Document):
    """The stretch of time that figures are about, and how much of it is stored."""

    start: datetime
    end: datetime
    seconds: float
    covered_seconds: float


class DurationFigures(Document):
    """How long it took, in seconds; percentiles are within 1.6 % of the exact ones."""

    mean: float
    p50: float
    p95: float
    p99: float
    max: float


class RequestFigures(Document):
    """How many, how many of them failed or were slow, and how long they took."""

    count: int
    error_count: int
    error_rate: float
    slow_count: int
    slow_rate: float
    duration: DurationFigures


class QueryFigures(RequestFigures):
    """The same of queries; `n_plus_one_count` is the number of requests with a finding."""

    n_plus_one_count: int


class TaskFigures(RequestFigures):
    """Work done for no request: commands, messages of a queue, schedules.

    `query_count` and `query_duration` are of the queries they ran, `n_plus_one_count` is how
    many of them repeated one.
    """

    query_count: int
    query_duration: float
    n_plus_one_count: int


class NamedTaskFigures(TaskFigures):
    """One task by its name; `kind` is `celery`, `command`, `consumer` or `internal`."""

    task: str
    kind: str


class TaskSummary(TaskFigures):
    """All tasks, and each of them."""

    tasks: list[NamedTaskFigures]


class EndpointFigures(RequestFigures):
    """One endpoint and method."""

    endpoint: str
    method: str


class FingerprintFigures(QueryFigures):
    """One statement, whatever its values were, over all databases."""

    fingerprint: str
    query: str


class OrganizationFigures(RequestFigures):
    """One organisation; null is what belongs to none."""

    organization_id: str | None


class UserFigures(RequestFigures):
    """One user; null is what nobody signed in has asked."""

    user_id: str | None


class CacheFigures(Document):
    """Calls of caches, and the keys they looked up; the rate is null when there was none.

    A call that does its work by others counts once.
    """

    hits: int
    misses: int
    hit_rate: float | None
    operation_count: int
    error_count: int
    error_rate: float
    duration: DurationFigures


class SystemFigures(Document):
    """The latest readings; of several hosts the highest, of database connections the sum."""

    cpu_utilization: float | None
    memory_utilization: float | None
    disk_utilization: float | None
    database_connections: int | None


class MonitorFigures(Document):
    """How the monitor itself is doing.

    `overhead` is the share of one core that its background work takes in a worker; `lost_spans`
    could not be exported, or are missing in traces that were for being slow or failed.
    """

    workers: int
    hosts: int
    dropped: int
    overflowed: int
    lost_spans: int
    flush_lag_seconds: float | None
    overhead: float | None


class CodeLocation(Document):
    """A place in the project's own code; `file` is relative to the project directory."""

    file: str
    line: int
    function: str
