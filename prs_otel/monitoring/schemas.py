"""The documents of the monitoring API, as its users read them.

Durations are seconds, rates and utilisations ratios 0..1, sizes bytes, times RFC 3339 in
UTC. A figure nobody has measured is null, never a zero that looks measured.
"""

from __future__ import annotations

from datetime import datetime  # noqa: TC003 - pydantic evaluates it
from typing import Literal

from pydantic import BaseModel, ConfigDict

HealthStatus = Literal["healthy", "degraded", "unhealthy"]


class Document(BaseModel):
    """What all answers have in common: once built they are not changed."""

    model_config = ConfigDict(frozen=True, extra="forbid")


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
    """Keys looked up in all caches; the rate is null when there was none."""

    hits: int
    misses: int
    hit_rate: float | None


class SystemFigures(Document):
    """The latest readings; of several hosts the highest, of database connections the sum."""

    cpu_utilization: float | None
    memory_utilization: float | None
    disk_utilization: float | None
    database_connections: int | None


class MonitorFigures(Document):
    """How the monitor itself is doing.

    `overhead` is the share of one core that its background work takes in a worker.
    """

    workers: int
    hosts: int
    dropped: int
    overflowed: int
    flush_lag_seconds: float | None
    overhead: float | None


class Summary(Document):
    """Everything at a glance, for staff."""

    window: WindowDocument
    requests: RequestFigures
    queries: QueryFigures
    cache: CacheFigures
    system: SystemFigures
    endpoints: list[EndpointFigures]
    fingerprints: list[FingerprintFigures]
    organizations: list[OrganizationFigures]
    users: list[UserFigures]
    monitor: MonitorFigures


class OrganizationSummary(Document):
    """The totals of one organisation, for its own users.

    `is_covered` is false when the organisation is, or may partly be, among those too many
    to be counted apart: then the figures are what is known, not all there was.
    """

    organization_id: str
    window: WindowDocument
    is_covered: bool
    requests: RequestFigures
    queries: QueryFigures


class CodeLocation(Document):
    """A place in the project's own code; `file` is relative to the project directory."""

    file: str
    line: int
    function: str


class SlowQuery(Document):
    """One execution of a statement; `query` is without its values, null where not shown."""

    query: str | None
    fingerprint: str
    duration: float
    endpoint: str | None
    organization_id: str | None
    code: CodeLocation | None
    trace_id: str
    span_id: str
    time: datetime


class SlowQueries(Document):
    """The slowest queries, slowest first."""

    items: list[SlowQuery]
    count: int


class SlowCall(Document):
    """One request."""

    endpoint: str
    method: str
    status_code: int
    duration: float
    query_count: int
    query_duration: float
    organization_id: str | None
    user_id: str | None
    trace_id: str
    time: datetime


class SlowCalls(Document):
    """The slowest requests, slowest first."""

    items: list[SlowCall]
    count: int


class TrendRequests(Document):
    """The requests of one point; durations are null when there were none to measure."""

    count: int | None
    error_rate: float | None
    slow_rate: float | None
    p50: float | None
    p95: float | None
    p99: float | None


class TrendQueries(Document):
    """The queries of one point; of an endpoint, which were slow is not known."""

    count: int | None
    slow_rate: float | None


class TrendPoint(Document):
    """What happened in one step from `time`; null is what nobody has measured."""

    time: datetime
    covered_seconds: float
    requests: TrendRequests
    queries: TrendQueries
    system: SystemFigures


class Trends(Document):
    """A window as a time series, oldest first.

    `step` is the seconds between two points, more than `requested_step` when that is finer
    than what is stored or can be drawn (`is_coarsened`). `is_covered` is false when what
    was asked for may partly be among what is not counted apart.
    """

    window: WindowDocument
    endpoint: str | None
    organization_id: str | None
    step: int
    requested_step: int | None
    is_coarsened: bool
    is_covered: bool
    points: list[TrendPoint]


class StatementEndpoint(Document):
    """A route that ran a statement: in how many requests, how often, and for how long."""

    endpoint: str
    request_count: int
    count: int
    total_duration: float


class StatementMetrics(FingerprintFigures):
    """One statement; `time_share` is its part of the time of all, `aliases` ran it."""

    total_duration: float
    time_share: float
    aliases: list[str]
    endpoints: list[StatementEndpoint]
    endpoint_count: int


class AliasMetrics(RequestFigures):
    """One database, by its alias."""

    alias: str
    total_duration: float
    time_share: float


class NPlusOneFinding(Document):
    """A statement that requests repeated: in how many of them, and how often altogether."""

    fingerprint: str
    query: str
    endpoint: str
    count: int
    repeat_count: int
    code: CodeLocation | None


class DatabaseMetrics(Document):
    """All that is known of the queries; `count` is how many fingerprints there are."""

    window: WindowDocument
    queries: QueryFigures
    aliases: list[AliasMetrics]
    fingerprints: list[StatementMetrics]
    n_plus_one: list[NPlusOneFinding]
    count: int


class StatusClasses(Document):
    """How many requests were answered by which class of status."""

    success: int
    redirection: int
    client_error: int
    server_error: int


class CallFigures(RequestFigures):
    """Requests, with how they were answered and what their queries took.

    `database_share` is the part of their time that queries took.
    """

    status_classes: StatusClasses
    queries_per_request: float
    database_share: float


class EndpointMetrics(CallFigures):
    """One endpoint and method."""

    endpoint: str
    method: str


class OrganizationMetrics(CallFigures):
    """One organisation; null is what belongs to none."""

    organization_id: str | None


class UserMetrics(CallFigures):
    """One user; null is what nobody signed in has asked."""

    user_id: str | None


class ApiMetrics(Document):
    """All that is known of the requests; each list is a page of `*_count` rows."""

    window: WindowDocument
    requests: CallFigures
    endpoints: list[EndpointMetrics]
    endpoint_count: int
    organizations: list[OrganizationMetrics]
    organization_count: int
    users: list[UserMetrics]
    user_count: int


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


class HealthCheck(Document):
    """One thing that was looked at; `detail` says what is wrong."""

    name: str
    status: HealthStatus
    detail: str


class Health(Document):
    """Whether the service answers."""

    status: HealthStatus


class DetailedHealth(Health):
    """The same for staff, with what was looked at."""

    checks: list[HealthCheck]


class Error(Document):
    """Why there is no answer."""

    detail: str


class InvalidParameter(BaseModel):
    """One parameter that was refused: where it stood (`loc`) and what it should be."""

    type: str
    loc: list[str | int]
    msg: str


class InvalidRequest(Document):
    """Which parameters were refused."""

    detail: list[InvalidParameter]
