"""Whether the service answers, and for staff whether its monitoring does its work."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from prs_otel.monitoring.documents.monitor import flush_lag
from prs_otel.monitoring.schemas import (
    DetailedHealth,
    Health,
    HealthCheck,
    HealthStatus,
)
from prs_otel.store.base import StoreError

if TYPE_CHECKING:
    from prs_otel.rollup.view import MetricsView

ALIVE: Final = Health(status="healthy")
"""What everybody may know: that it answers. The monitor's own troubles do not concern an
uptime check, which would call a working application broken."""


def detailed_health(view: MetricsView | None, *, now: float) -> DetailedHealth:
    """Return what staff may know; `view` None means that monitoring is switched off.

    A monitor in trouble is degraded, never unhealthy: the application still answers.
    """
    checks = [_monitoring_check(is_on=view is not None)]
    if view is not None:
        checks.append(store_check(view, now=now))
    is_well = all(check.status == "healthy" for check in checks)
    status: HealthStatus = "healthy" if is_well else "degraded"
    return DetailedHealth(status=status, checks=checks)


def _monitoring_check(*, is_on: bool) -> HealthCheck:
    return HealthCheck(
        name="monitoring",
        status="healthy" if is_on else "degraded",
        detail="switched on" if is_on else "switched off",
    )


def store_check(view: MetricsView, *, now: float) -> HealthCheck:
    """Return whether the store can be read and somebody reports to it."""
    try:
        workers = view.workers(now=now)
    except StoreError as error:
        return HealthCheck(name="store", status="degraded", detail=str(error))
    lag = flush_lag(workers, now=now)
    if lag is None:
        return HealthCheck(name="store", status="degraded", detail="no worker reports")
    detail = f"workers: {len(workers)}, the quietest reported {lag:.1f} s ago"
    return HealthCheck(name="store", status="healthy", detail=detail)
