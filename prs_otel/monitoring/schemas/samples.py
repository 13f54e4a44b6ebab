"""The documents of `database/slow-queries/` and `api/slow-calls/`."""

from __future__ import annotations

from datetime import datetime

from prs_otel.monitoring.schemas.document import Document
from prs_otel.monitoring.schemas.figures import CodeLocation, WindowDocument


class SlowQuery(Document):
    """One execution of a statement; `query` is without its values, null where not shown."""

    query: str | None
    fingerprint: str
    duration: float
    endpoint: str | None
    task: str | None
    organization_id: str | None
    code: CodeLocation | None
    trace_id: str
    span_id: str
    time: datetime


class SlowQueries(Document):
    """The slowest queries, slowest first."""

    window: WindowDocument
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

    window: WindowDocument
    items: list[SlowCall]
    count: int
