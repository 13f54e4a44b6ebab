"""`performance/`: everything at a glance, and as a time series."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from ninja import Query, Router
from ninja.errors import ValidationError

from prs_otel.monitoring import documents
from prs_otel.monitoring.documents import TrendQuery
from prs_otel.monitoring.endpoints.parameters import HOUR, Span, TrendSpan
from prs_otel.monitoring.endpoints.reading import REFUSALS, steady
from prs_otel.monitoring.permissions import AuthenticatedRequest
from prs_otel.monitoring.schemas import Latency, OrganizationSummary, Summary, Trends
from prs_otel.monitoring.scope import Scope, scope_of
from prs_otel.rollup.digest import Selection

if TYPE_CHECKING:
    from django.http import HttpResponse

    from prs_otel.rollup.view import MetricsView

router = Router(tags=["performance"])


@router.get("summary/", response={200: Summary | OrganizationSummary, **REFUSALS})
def performance_summary(
    request: AuthenticatedRequest, span: Annotated[Span, Query()]
) -> HttpResponse:
    """Return everything at a glance; for a user who is not staff, his organisation's totals."""
    scope = scope_of(request.auth)

    def build(view: MetricsView, now: float) -> Summary | OrganizationSummary:
        if scope.organization_id is None:
            return documents.summary(view, hours=span.hours, now=now)
        return documents.organization_summary(
            view, scope.organization_id, hours=span.hours, now=now
        )

    return steady(request, span, build, scope)


@router.get("trends/", response={200: Trends, **REFUSALS})
def performance_trends(
    request: AuthenticatedRequest, asked: Annotated[TrendSpan, Query()]
) -> HttpResponse:
    """Return the window as a time series; for a user who is not staff, of his organisation."""
    scope = scope_of(request.auth)
    drawn = _drawn(asked, scope)
    return steady(
        request,
        asked,
        lambda view, now: documents.trends(view, drawn, now=now),
        scope,
    )


@router.get("latency/", response={200: Latency, **REFUSALS})
def performance_latency(
    request: AuthenticatedRequest, asked: Annotated[TrendSpan, Query()]
) -> HttpResponse:
    """Return how long requests took over time, to be drawn as a heat map."""
    scope = scope_of(request.auth)
    drawn = _drawn(asked, scope)
    return steady(
        request,
        asked,
        lambda view, now: documents.latency(view, drawn, now=now),
        scope,
    )


def _drawn(asked: TrendSpan, scope: Scope) -> TrendQuery:
    return TrendQuery(
        _selection(asked, scope),
        seconds=asked.hours * HOUR,
        step=asked.step,
        shows_system=scope.organization_id is None,
    )


def _selection(asked: TrendSpan, scope: Scope) -> Selection:
    """Join what was asked with what the user may see."""
    organization_id = scope.narrowed(asked.organization_id)
    if asked.endpoint is not None and organization_id is not None:
        raise _refused("endpoint", "Endpoints are not counted apart by organisation.")
    return Selection(asked.endpoint, organization_id)


def _refused(parameter: str, message: str) -> ValidationError:
    problem = {"type": "value_error", "loc": ["query", parameter], "msg": message}
    return ValidationError([problem])
