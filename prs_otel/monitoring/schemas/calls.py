"""The document of `api/metrics/`."""

from __future__ import annotations

from prs_otel.monitoring.schemas.document import Document
from prs_otel.monitoring.schemas.figures import RequestFigures, WindowDocument


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
    organizations: list[OrganizationMetrics] | None
    organization_count: int | None
    users: list[UserMetrics] | None
    user_count: int | None
