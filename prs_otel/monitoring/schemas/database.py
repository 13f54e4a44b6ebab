"""The document of `database/metrics/`."""

from __future__ import annotations

from prs_otel.monitoring.schemas.document import Document
from prs_otel.monitoring.schemas.figures import (
    CodeLocation,
    FingerprintFigures,
    QueryFigures,
    RequestFigures,
    WindowDocument,
)


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
    """A statement that was repeated: in how many requests or tasks, and how often altogether.

    Either `endpoint` or `task` says by what.
    """

    fingerprint: str
    query: str
    endpoint: str | None
    task: str | None
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
