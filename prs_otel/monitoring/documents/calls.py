"""How requests were answered: by endpoint, by organisation and by user."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, TypeAlias

from prs_otel import conf
from prs_otel.monitoring.documents import figures as shown
from prs_otel.monitoring.documents.figures import Common
from prs_otel.monitoring.schemas import (
    ApiMetrics,
    CallFigures,
    EndpointMetrics,
    OrganizationMetrics,
    StatusClasses,
    UserMetrics,
)
from prs_otel.rollup import series
from prs_otel.rollup.figures import Figures, merge

if TYPE_CHECKING:
    from prs_otel.monitoring.documents.page import Page
    from prs_otel.rollup.series import Labels
    from prs_otel.rollup.view import MetricsView
    from prs_otel.rollup.window import Window

Parts: TypeAlias = list[tuple[str | None, Figures]]


class Call(Common):
    """What every set of figures of requests has here, beyond what it has elsewhere."""

    status_classes: StatusClasses
    queries_per_request: float
    database_share: float


def api_metrics(view: MetricsView, page: Page, *, now: float) -> ApiMetrics:
    """Return the figures of all requests, a page of each list; raises `StoreError`.

    Of one endpoint they are its own, without a list of whom they were for, which nobody counts.
    """
    window = view.window(page.seconds, now=now)
    endpoints = shown.heaviest_first(
        (labels, figures)
        for labels, figures in window.figures(series.REQUEST).items()
        if page.endpoint in (None, labels[0])
    )
    organizations = _organizations(window, page)
    users = _users(window, page)
    return ApiMetrics(
        window=shown.window_document(window),
        requests=CallFigures(**_call(_total(window, page, endpoints))),
        endpoints=[
            EndpointMetrics(endpoint=endpoint, method=method, **_call(figures))
            for (endpoint, method), figures in page.of(endpoints)
        ],
        endpoint_count=len(endpoints),
        organizations=None
        if organizations is None
        else [
            OrganizationMetrics(organization_id=key, **_call(figures))
            for key, figures in page.of(organizations)
        ],
        organization_count=None if organizations is None else len(organizations),
        users=None
        if users is None
        else [
            UserMetrics(user_id=key, **_call(figures))
            for key, figures in page.of(users)
        ],
        user_count=None if users is None else len(users),
    )


def _total(
    window: Window, page: Page, endpoints: Iterable[tuple[Labels, Figures]]
) -> Figures:
    if page.endpoint is None:
        return window.total(series.REQUEST)
    return merge(figures for _, figures in endpoints)


def _organizations(window: Window, page: Page) -> Parts | None:
    is_counted = page.endpoint is None and conf.current().track_organizations
    return _parts(window, series.ORGANIZATION) if is_counted else None


def _users(window: Window, page: Page) -> Parts | None:
    is_counted = page.endpoint is None and conf.current().track_users
    return _parts(window, series.USER) if is_counted else None


def _parts(window: Window, kind: str) -> Parts:
    rows = shown.with_remainder(window.figures(kind), window.total(series.REQUEST))
    return shown.heaviest_first(rows)


def _call(figures: Figures) -> Call:
    return Call(
        **shown.common(figures),
        status_classes=StatusClasses(
            success=figures.succeeded_count,
            redirection=figures.redirected_count,
            client_error=figures.refused_count,
            server_error=figures.error_count,
        ),
        queries_per_request=shown.share(figures.query_count, figures.count),
        database_share=shown.share(figures.query_time, figures.total),
    )
