"""`api/`: how requests were answered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from ninja import Query, Router

from prs_otel.monitoring import documents
from prs_otel.monitoring.endpoints.parameters import LinePage, SamplePage, TablePage
from prs_otel.monitoring.endpoints.reading import REFUSALS, steady
from prs_otel.monitoring.permissions import AuthenticatedRequest, staff_auth
from prs_otel.monitoring.schemas import ApiMetrics, EndpointTrends, SlowCalls
from prs_otel.monitoring.scope import scope_of

if TYPE_CHECKING:
    from django.http import HttpResponse

router = Router(tags=["api"])


@router.get("metrics/", auth=staff_auth(), response={200: ApiMetrics, **REFUSALS})
def api_metrics(
    request: AuthenticatedRequest, asked: Annotated[TablePage, Query()]
) -> HttpResponse:
    """Return how each endpoint, organisation and user was answered; for staff."""
    page = asked.page()
    return steady(
        request,
        asked,
        lambda view, now: documents.api_metrics(view, page, now=now),
    )


@router.get("trends/", auth=staff_auth(), response={200: EndpointTrends, **REFUSALS})
def api_trends(
    request: AuthenticatedRequest, asked: Annotated[LinePage, Query()]
) -> HttpResponse:
    """Return what each endpoint was asked over time, to be drawn beside its name; for staff."""
    wanted = asked.lines()
    return steady(
        request,
        asked,
        lambda view, now: documents.endpoint_trends(view, wanted, now=now),
    )


@router.get("slow-calls/", response={200: SlowCalls, **REFUSALS})
def slow_calls(
    request: AuthenticatedRequest, page: Annotated[SamplePage, Query()]
) -> HttpResponse:
    """Return the slowest requests."""
    scope = scope_of(request.auth)
    asked = page.samples(scope)
    return steady(
        request,
        page,
        lambda view, now: documents.slow_calls(view, asked, now=now),
        scope,
    )
