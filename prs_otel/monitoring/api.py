"""The endpoints of `/api/monitoring/`."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated, Any, Final

from django.http import HttpRequest, HttpResponse
from ninja import NinjaAPI, Query
from ninja.errors import HttpError
from pydantic import BaseModel, Field

from prs_otel import __version__, pipeline
from prs_otel.monitoring import documents
from prs_otel.monitoring.answers import answer, install_error_handlers
from prs_otel.monitoring.documents import SampleQuery
from prs_otel.monitoring.permissions import (
    AuthenticatedRequest,
    api_auth,
    is_staff,
    staff_auth,
    user_if_known,
)
from prs_otel.monitoring.schemas import (
    DetailedHealth,
    Error,
    Health,
    InvalidRequest,
    OrganizationSummary,
    SlowCalls,
    SlowQueries,
    Summary,
    SystemMetrics,
)
from prs_otel.monitoring.scope import scope_of

if TYPE_CHECKING:
    from prs_otel.rollup.view import MetricsView

HOUR: Final = 3600.0


FAILURES: Final[dict[int, Any]] = {401: Error, 403: Error, 503: Error}
REFUSALS: Final[dict[int, Any]] = {**FAILURES, 422: InvalidRequest}


class Span(BaseModel):
    """How far back the answer looks."""

    hours: Annotated[float, Field(gt=0, le=8760, allow_inf_nan=False)] = 24.0


class SamplePage(Span):
    """Which of the slowest are asked for."""

    limit: Annotated[int, Field(ge=1, le=100)] = 50
    offset: Annotated[int, Field(ge=0, le=100)] = 0


api = NinjaAPI(
    title="Monitoring",
    description="What prs-otel measured, over all workers.",
    version=__version__,
    urls_namespace="prs_otel",
    auth=api_auth(),
)
install_error_handlers(api)


@api.get(
    "performance/summary/",
    response={200: Summary | OrganizationSummary, **REFUSALS},
    tags=["performance"],
)
def performance_summary(
    request: AuthenticatedRequest, span: Annotated[Span, Query()]
) -> HttpResponse:
    """Return everything at a glance; for a user who is not staff, his organisation's totals."""
    scope, now = scope_of(request.auth), time.time()
    if scope.organization_id is None:
        return answer(request, documents.summary(_view(), hours=span.hours, now=now))
    return answer(
        request,
        documents.organization_summary(
            _view(), scope.organization_id, hours=span.hours, now=now
        ),
    )


@api.get(
    "database/slow-queries/",
    response={200: SlowQueries, **REFUSALS},
    tags=["database"],
)
def slow_queries(
    request: AuthenticatedRequest, page: Annotated[SamplePage, Query()]
) -> HttpResponse:
    """Return the slowest queries; their text is for staff."""
    asked = _samples_for(request, page)
    return answer(request, documents.slow_queries(_view(), asked, now=time.time()))


@api.get(
    "api/slow-calls/",
    response={200: SlowCalls, **REFUSALS},
    tags=["api"],
)
def slow_calls(
    request: AuthenticatedRequest, page: Annotated[SamplePage, Query()]
) -> HttpResponse:
    """Return the slowest requests."""
    asked = _samples_for(request, page)
    return answer(request, documents.slow_calls(_view(), asked, now=time.time()))


@api.get(
    "system/metrics/",
    auth=staff_auth(),
    response={200: SystemMetrics, **FAILURES},
    tags=["system"],
)
def system_metrics(request: AuthenticatedRequest) -> HttpResponse:
    """Return what hosts and workers are doing now; for staff."""
    return answer(request, documents.system_metrics(_view(), now=time.time()))


@api.get("system/health/", response=Health | DetailedHealth, auth=None, tags=["system"])
def health(request: HttpRequest) -> HttpResponse:
    """Tell whether the service answers; open to everybody, with details for staff."""
    if not is_staff(user_if_known(request)):
        return answer(request, documents.ALIVE)
    view = pipeline.view() if pipeline.is_enabled() else None
    return answer(request, documents.detailed_health(view, now=time.time()))


@api.api_operation(["HEAD"], "system/health/", auth=None, include_in_schema=False)
def health_head(request: HttpRequest) -> HttpResponse:
    """Answer what many uptime checks send."""
    return HttpResponse(content_type="application/json")


def _samples_for(request: AuthenticatedRequest, page: SamplePage) -> SampleQuery:
    """Join what was asked with what the user may see: the request has no say in that."""
    return SampleQuery(
        seconds=page.hours * HOUR,
        limit=page.limit,
        offset=page.offset,
        organization_id=scope_of(request.auth).organization_id,
    )


def _view() -> MetricsView:
    if not pipeline.is_enabled():
        raise HttpError(503, "Monitoring is switched off.")
    return pipeline.view()
