"""The summary: everything for staff, the totals of one organisation for its users."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from prs_otel import conf
from prs_otel.monitoring.documents import figures as shown
from prs_otel.monitoring.documents.caches import cache_figures
from prs_otel.monitoring.documents.monitor import monitor_figures
from prs_otel.monitoring.documents.system import host_metrics, system_figures
from prs_otel.monitoring.schemas import (
    EndpointFigures,
    FingerprintFigures,
    NamedTaskFigures,
    OrganizationFigures,
    OrganizationSummary,
    Summary,
    TaskSummary,
    UserFigures,
)
from prs_otel.rollup import series
from prs_otel.rollup.figures import Figures, merge

if TYPE_CHECKING:
    from prs_otel.rollup.view import MetricsView
    from prs_otel.rollup.window import Window

HOUR: Final = 3600.0


def summary(view: MetricsView, *, hours: float, now: float) -> Summary:
    """Return the figures of the last `hours`, over all workers; raises `StoreError`."""
    window = view.window(hours * HOUR, now=now)
    requests = window.total(series.REQUEST)
    workers = view.workers(now=now)
    return Summary(
        window=shown.window_document(window),
        requests=shown.request_figures(requests),
        queries=shown.query_figures(
            window.total(series.QUERY), n_plus_one_count=requests.finding_count
        ),
        tasks=_tasks(window),
        cache=cache_figures(window),
        system=system_figures(host_metrics(view, now=now), workers),
        endpoints=_endpoints(window),
        fingerprints=_fingerprints(view, window),
        organizations=_organizations(window, requests),
        users=_users(window, requests),
        monitor=monitor_figures(workers, now=now),
    )


def organization_summary(
    view: MetricsView, organization_id: str, *, hours: float, now: float
) -> OrganizationSummary:
    """Return one organisation's totals of the last `hours`; raises `StoreError`."""
    window = view.window(hours * HOUR, now=now)
    rows = window.figures(series.ORGANIZATION)
    labels = (organization_id,)
    requests = rows.get(labels, Figures())
    queries = window.figures(series.ORGANIZATION_QUERY).get(labels, Figures())
    return OrganizationSummary(
        organization_id=organization_id,
        window=shown.window_document(window),
        # What was folded can no longer be told apart, so it may have held anybody's.
        is_covered=(
            conf.current().track_organizations
            and series.other(series.ORGANIZATION) not in rows
        ),
        requests=shown.request_figures(requests),
        queries=shown.query_figures(queries, n_plus_one_count=requests.finding_count),
    )


def _tasks(window: Window) -> TaskSummary:
    rows = shown.heaviest_first(window.figures(series.TASK).items())
    return TaskSummary(
        **shown.of_tasks(window.total(series.TASK)),
        tasks=[
            NamedTaskFigures(task=task, kind=kind, **shown.of_tasks(figures))
            for (task, kind), figures in rows
        ],
    )


def _endpoints(window: Window) -> list[EndpointFigures]:
    rows = shown.heaviest_first(window.figures(series.REQUEST).items())
    return [
        EndpointFigures(endpoint=endpoint, method=method, **shown.common(figures))
        for (endpoint, method), figures in rows
    ]


def _fingerprints(view: MetricsView, window: Window) -> list[FingerprintFigures]:
    by_fingerprint = _over_aliases(window.figures(series.QUERY))
    texts = view.texts(list(by_fingerprint))
    findings = findings_by_fingerprint(window)
    return [
        FingerprintFigures(
            fingerprint=fingerprint,
            query=texts.get(fingerprint, ""),
            n_plus_one_count=findings[fingerprint],
            **shown.common(figures),
        )
        for fingerprint, figures in shown.heaviest_first(by_fingerprint.items())
    ]


def _organizations(
    window: Window, requests: Figures
) -> list[OrganizationFigures] | None:
    if not conf.current().track_organizations:
        return None
    rows = shown.with_remainder(window.figures(series.ORGANIZATION), requests)
    return [
        OrganizationFigures(organization_id=key, **shown.common(figures))
        for key, figures in shown.heaviest_first(rows)
    ]


def _users(window: Window, requests: Figures) -> list[UserFigures] | None:
    if not conf.current().track_users:
        return None
    rows = shown.with_remainder(window.figures(series.USER), requests)
    return [
        UserFigures(user_id=key, **shown.common(figures))
        for key, figures in shown.heaviest_first(rows)
    ]


def _over_aliases(
    by_labels: Mapping[series.Labels, Figures],
) -> dict[str, Figures]:
    """Return one row per fingerprint, whichever databases ran it."""
    grouped: defaultdict[str, list[Figures]] = defaultdict(list)
    for (_alias, fingerprint), figures in by_labels.items():
        grouped[fingerprint].append(figures)
    return {
        fingerprint: parts[0] if len(parts) == 1 else merge(parts)
        for fingerprint, parts in grouped.items()
    }


def findings_by_fingerprint(window: Window) -> Counter[str]:
    """Return in how many requests each fingerprint was repeated; 0 for any other."""
    found: Counter[str] = Counter()
    for labels, figures in window.figures(series.N_PLUS_ONE).items():
        found[labels[0]] += figures.count
    return found
