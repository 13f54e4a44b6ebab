"""The documents of `performance/summary/`."""

from __future__ import annotations

from prs_otel.monitoring.schemas.document import Document
from prs_otel.monitoring.schemas.figures import (
    CacheFigures,
    EndpointFigures,
    FingerprintFigures,
    MonitorFigures,
    OrganizationFigures,
    QueryFigures,
    RequestFigures,
    SystemFigures,
    TaskSummary,
    UserFigures,
    WindowDocument,
)


class Summary(Document):
    """Everything at a glance, for staff; null is what is switched off."""

    window: WindowDocument
    requests: RequestFigures
    queries: QueryFigures
    tasks: TaskSummary
    cache: CacheFigures | None
    system: SystemFigures
    endpoints: list[EndpointFigures]
    fingerprints: list[FingerprintFigures]
    organizations: list[OrganizationFigures] | None
    users: list[UserFigures] | None
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
