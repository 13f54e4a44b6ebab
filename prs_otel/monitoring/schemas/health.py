"""The documents of `system/health/`."""

from __future__ import annotations

from typing import Literal

from prs_otel.monitoring.schemas.document import Document

HealthStatus = Literal["healthy", "degraded", "unhealthy"]


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
