"""`database/`: what the queries took."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from ninja import Query, Router

from prs_otel.monitoring import documents
from prs_otel.monitoring.endpoints.parameters import QueryPage, StatementPage
from prs_otel.monitoring.endpoints.reading import REFUSALS, steady
from prs_otel.monitoring.permissions import AuthenticatedRequest, staff_auth
from prs_otel.monitoring.schemas import DatabaseMetrics, SlowQueries
from prs_otel.monitoring.scope import scope_of

if TYPE_CHECKING:
    from django.http import HttpResponse

router = Router(tags=["database"])


@router.get("metrics/", auth=staff_auth(), response={200: DatabaseMetrics, **REFUSALS})
def database_metrics(
    request: AuthenticatedRequest, asked: Annotated[StatementPage, Query()]
) -> HttpResponse:
    """Return what each statement and each database took, and what was repeated; for staff."""
    page = asked.page()
    return steady(
        request,
        asked,
        lambda view, now: documents.database_metrics(view, page, now=now),
    )


@router.get("slow-queries/", response={200: SlowQueries, **REFUSALS})
def slow_queries(
    request: AuthenticatedRequest, page: Annotated[QueryPage, Query()]
) -> HttpResponse:
    """Return the slowest queries; their text is for staff."""
    # Whose they are is the scope's to say: the request has no say in it.
    scope = scope_of(request.auth)
    asked = page.samples(scope)
    return steady(
        request,
        page,
        lambda view, now: documents.slow_queries(view, asked, now=now),
        scope,
    )
