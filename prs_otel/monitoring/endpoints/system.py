"""`system/`: what hosts and workers do, and whether the service answers."""

from __future__ import annotations

import time
from typing import Annotated

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router

from prs_otel import pipeline
from prs_otel.monitoring import documents
from prs_otel.monitoring.answers import answer
from prs_otel.monitoring.endpoints.parameters import HealthQuestion
from prs_otel.monitoring.endpoints.reading import FAILURES, steady_of_processes
from prs_otel.monitoring.permissions import (
    AuthenticatedRequest,
    is_staff,
    staff_auth,
    user_if_known,
)
from prs_otel.monitoring.readiness import readiness
from prs_otel.monitoring.schemas import (
    DetailedHealth,
    Health,
    InvalidRequest,
    SystemMetrics,
)

router = Router(tags=["system"])


@router.get("metrics/", auth=staff_auth(), response={200: SystemMetrics, **FAILURES})
def system_metrics(request: AuthenticatedRequest) -> HttpResponse:
    """Return what hosts and workers are doing now; for staff."""
    return steady_of_processes(
        request, lambda view, now: documents.system_metrics(view, now=now)
    )


@router.get(
    "health/",
    response={
        200: Health | DetailedHealth,
        503: Health | DetailedHealth,
        422: InvalidRequest,
    },
    auth=None,
)
def health(
    request: HttpRequest, asked: Annotated[HealthQuestion, Query()]
) -> HttpResponse:
    """Tell whether the service answers, or is ready to; open to everybody, details for staff."""
    is_for_staff = is_staff(user_if_known(request))
    if asked.ready:
        found = readiness(now=time.time())
        document = found if is_for_staff else Health(status=found.status)
        return answer(request, document, status=_code_of(found))
    if not is_for_staff:
        return answer(request, documents.ALIVE)
    view = pipeline.view() if pipeline.is_enabled() else None
    return answer(request, documents.detailed_health(view, now=time.time()))


@router.api_operation(["HEAD"], "health/", auth=None, include_in_schema=False)
def health_head(
    request: HttpRequest, asked: Annotated[HealthQuestion, Query()]
) -> HttpResponse:
    """Answer what many uptime checks send."""
    status = _code_of(readiness(now=time.time())) if asked.ready else 200
    return HttpResponse(status=status, content_type="application/json")


def _code_of(found: Health) -> int:
    return 503 if found.status == "unhealthy" else 200
