"""The endpoints of `/api/monitoring/`."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any, Final

from django.http import HttpRequest, HttpResponse
from ninja import NinjaAPI, Query
from ninja.errors import HttpError, ValidationError
from pydantic import BaseModel, Field

from prs_otel import __version__, pipeline
from prs_otel.monitoring import documents
from prs_otel.monitoring.answers import answer, install_error_handlers, steady_answer
from prs_otel.monitoring.documents import Page, SampleQuery, TrendQuery
from prs_otel.monitoring.permissions import (
    AuthenticatedRequest,
    api_auth,
    is_staff,
    staff_auth,
    user_if_known,
)
from prs_otel.monitoring.readiness import readiness
from prs_otel.monitoring.schemas import (
    ApiMetrics,
    DatabaseMetrics,
    DetailedHealth,
    Error,
    Health,
    InvalidRequest,
    OrganizationSummary,
    SlowCalls,
    SlowQueries,
    Summary,
    SystemMetrics,
    Trends,
)
from prs_otel.monitoring.scope import EVERYTHING, Scope, scope_of
from prs_otel.rollup.digest import Selection
from prs_otel.rollup.moment import moment

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


class TrendSpan(Span):
    """What the time series is about, and how many seconds its points are apart."""

    step: Annotated[int, Field(ge=1, le=31_536_000)] | None = None
    endpoint: Annotated[str, Field(max_length=1_000)] | None = None
    organization_id: Annotated[str, Field(max_length=1_000)] | None = None


class Asked(BaseModel):
    """Whether it is asked for readiness instead of liveness."""

    ready: bool = False


class TablePage(BaseModel):
    """Which rows of a table are asked for."""

    hours: Annotated[float, Field(gt=0, le=8760, allow_inf_nan=False)] = 1.0
    limit: Annotated[int, Field(ge=1, le=1_000)] = 100
    offset: Annotated[int, Field(ge=0, le=100_000)] = 0


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
    scope, view = scope_of(request.auth), _view()

    def build(now: float) -> BaseModel:
        if scope.organization_id is None:
            return documents.summary(view, hours=span.hours, now=now)
        return documents.organization_summary(
            view, scope.organization_id, hours=span.hours, now=now
        )

    return _steady(request, view, (span, scope), build)


@api.get(
    "performance/trends/",
    response={200: Trends, **REFUSALS},
    tags=["performance"],
)
def performance_trends(
    request: AuthenticatedRequest, asked: Annotated[TrendSpan, Query()]
) -> HttpResponse:
    """Return the window as a time series; for a user who is not staff, of his organisation."""
    scope, view = scope_of(request.auth), _view()
    drawn = TrendQuery(
        _selection(asked, scope),
        seconds=asked.hours * HOUR,
        step=asked.step,
        shows_system=scope.organization_id is None,
    )
    return _steady(
        request,
        view,
        (asked, scope),
        lambda now: documents.trends(view, drawn, now=now),
    )


@api.get(
    "database/metrics/",
    auth=staff_auth(),
    response={200: DatabaseMetrics, **REFUSALS},
    tags=["database"],
)
def database_metrics(
    request: AuthenticatedRequest, asked: Annotated[TablePage, Query()]
) -> HttpResponse:
    """Return what each statement and each database took, and what was repeated; for staff."""
    view, page = _view(), _page(asked)
    return _steady(
        request,
        view,
        (asked, EVERYTHING),
        lambda now: documents.database_metrics(view, page, now=now),
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
    scope, view = scope_of(request.auth), _view()
    asked = _samples_for(scope, page)
    return _steady(
        request,
        view,
        (page, scope),
        lambda now: documents.slow_queries(view, asked, now=now),
    )


@api.get(
    "api/metrics/",
    auth=staff_auth(),
    response={200: ApiMetrics, **REFUSALS},
    tags=["api"],
)
def api_metrics(
    request: AuthenticatedRequest, asked: Annotated[TablePage, Query()]
) -> HttpResponse:
    """Return how each endpoint, organisation and user was answered; for staff."""
    view, page = _view(), _page(asked)
    return _steady(
        request,
        view,
        (asked, EVERYTHING),
        lambda now: documents.api_metrics(view, page, now=now),
    )


@api.get(
    "api/slow-calls/",
    response={200: SlowCalls, **REFUSALS},
    tags=["api"],
)
def slow_calls(
    request: AuthenticatedRequest, page: Annotated[SamplePage, Query()]
) -> HttpResponse:
    """Return the slowest requests."""
    scope, view = scope_of(request.auth), _view()
    asked = _samples_for(scope, page)
    return _steady(
        request,
        view,
        (page, scope),
        lambda now: documents.slow_calls(view, asked, now=now),
    )


@api.get(
    "system/metrics/",
    auth=staff_auth(),
    response={200: SystemMetrics, **FAILURES},
    tags=["system"],
)
def system_metrics(request: AuthenticatedRequest) -> HttpResponse:
    """Return what hosts and workers are doing now; for staff."""
    return answer(request, documents.system_metrics(_view(), now=time.time()))


@api.get(
    "system/health/",
    response={
        200: Health | DetailedHealth,
        503: Health | DetailedHealth,
        422: InvalidRequest,
    },
    auth=None,
    tags=["system"],
)
def health(request: HttpRequest, asked: Annotated[Asked, Query()]) -> HttpResponse:
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


@api.api_operation(["HEAD"], "system/health/", auth=None, include_in_schema=False)
def health_head(request: HttpRequest, asked: Annotated[Asked, Query()]) -> HttpResponse:
    """Answer what many uptime checks send."""
    status = _code_of(readiness(now=time.time())) if asked.ready else 200
    return HttpResponse(status=status, content_type="application/json")


def _code_of(found: Health) -> int:
    return 503 if found.status == "unhealthy" else 200


def _steady(
    request: HttpRequest,
    view: MetricsView,
    asked: tuple[BaseModel, Scope],
    build: Callable[[float], BaseModel],
) -> HttpResponse:
    """Answer for the latest moment, which does not change before something is stored."""
    parameters, scope = asked
    at = moment(view.store, now=time.time())
    state = f"{at}:{parameters.model_dump_json()}:{scope}"
    return steady_answer(request, state, lambda: build(at.end))


def _selection(asked: TrendSpan, scope: Scope) -> Selection:
    """Join what was asked with what the user may see."""
    if scope.organization_id not in (None, asked.organization_id):
        if asked.organization_id is not None:
            raise HttpError(403, "This is another organisation than yours.")
        asked = asked.model_copy(update={"organization_id": scope.organization_id})
    if asked.endpoint is not None and asked.organization_id is not None:
        raise _refused("endpoint", "Endpoints are not counted apart by organisation.")
    return Selection(asked.endpoint, asked.organization_id)


def _refused(parameter: str, message: str) -> ValidationError:
    problem = {"type": "value_error", "loc": ["query", parameter], "msg": message}
    return ValidationError([problem])


def _samples_for(scope: Scope, page: SamplePage) -> SampleQuery:
    """Join what was asked with what the user may see: the request has no say in that."""
    return SampleQuery(
        seconds=page.hours * HOUR,
        limit=page.limit,
        offset=page.offset,
        organization_id=scope.organization_id,
    )


def _page(asked: TablePage) -> Page:
    return Page(seconds=asked.hours * HOUR, limit=asked.limit, offset=asked.offset)


def _view() -> MetricsView:
    if not pipeline.is_enabled():
        raise HttpError(503, "Monitoring is switched off.")
    return pipeline.view()
