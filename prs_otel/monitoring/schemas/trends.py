"""The document of `performance/trends/`."""

from __future__ import annotations

from datetime import datetime

from prs_otel.monitoring.schemas.document import Document
from prs_otel.monitoring.schemas.figures import SystemFigures, WindowDocument


class TrendRequests(Document):
    """The requests of one point; durations are null when there were none to measure."""

    count: int | None
    error_rate: float | None
    slow_rate: float | None
    p50: float | None
    p95: float | None
    p99: float | None


class TrendQueries(Document):
    """The queries of one point."""

    count: int | None
    slow_rate: float | None


class TrendTasks(TrendRequests):
    """The tasks of one point; null where the trend is of an endpoint or an organisation."""


class TrendCache(Document):
    """The keys that caches were asked for in one point; null where it is not of everything."""

    hits: int | None
    misses: int | None
    hit_rate: float | None


class Deploy(Document):
    """When another `service.version` began to serve."""

    time: datetime
    version: str


class TrendPoint(Document):
    """What happened in one step from `time`; null is what nobody has measured."""

    time: datetime
    covered_seconds: float
    requests: TrendRequests
    queries: TrendQueries
    tasks: TrendTasks
    cache: TrendCache
    system: SystemFigures


class Trends(Document):
    """A window as a time series, oldest first.

    `step` is the seconds between two points, more than `requested_step` when that is finer
    than what is stored or can be drawn (`is_coarsened`). `is_covered` is false when what
    was asked for may partly be among what is not counted apart. `deploys` are for staff.
    """

    window: WindowDocument
    endpoint: str | None
    organization_id: str | None
    step: int
    requested_step: int | None
    is_coarsened: bool
    is_covered: bool
    points: list[TrendPoint]
    deploys: list[Deploy]
