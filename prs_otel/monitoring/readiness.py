"""Whether this process can do its work: what it depends on, asked at most every few seconds.

A database or a cache that does not answer makes it unhealthy. The monitor's own troubles degrade
it, since the application answers without them; and an alert that fires says that something was
noticed, not that this process should get no more requests.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from django.core.cache import caches
from django.core.cache.backends.dummy import DummyCache
from django.db import DEFAULT_DB_ALIAS, connections
from opentelemetry.instrumentation.utils import suppress_instrumentation

from prs_otel import pipeline
from prs_otel.monitoring.documents.health import store_check
from prs_otel.monitoring.registry import (
    ALERTING,
    StatusRequest,
    plain_document,
    requested_status,
)
from prs_otel.monitoring.schemas import DetailedHealth, HealthCheck, HealthStatus

KEPT: Final = 5.0
"""Seconds for which the outcome of a check is told again instead of checking anew."""

_KEY: Final = "prs_otel.ready"
_WORST_FIRST: Final[tuple[HealthStatus, ...]] = ("unhealthy", "degraded")

Check = Callable[[float], HealthCheck | None]


def check_database(now: float) -> HealthCheck:
    """Ask the default database for nothing in particular."""
    connection = connections[DEFAULT_DB_ALIAS]
    # None configured: Django's stand-in would raise whatever it is asked.
    if connection.vendor != "unknown":
        with suppress_instrumentation(), connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    return _healthy("database")


def check_cache(now: float) -> HealthCheck:
    """Keep something in the default cache; a look-up would show in its hit rate."""
    cache = caches["default"]
    cache.set(_KEY, now, timeout=60)
    if not isinstance(cache, DummyCache) and not cache.touch(_KEY, timeout=60):
        return HealthCheck(name="cache", status="unhealthy", detail="keeps nothing")
    return _healthy("cache")


def check_store(now: float) -> HealthCheck:
    """Look whether the monitor's workers report."""
    if not pipeline.is_enabled():
        return HealthCheck(name="store", status="degraded", detail="switched off")
    return store_check(pipeline.view(), now=now)


def check_evaluator(now: float) -> HealthCheck | None:
    """Look whether somebody evaluates the alert rules; None without any alerting."""
    found = requested_status(ALERTING, StatusRequest(now=now, workers_since=None))
    if found is None:
        return None
    evaluator = plain_document(found.document).get("evaluator")
    if isinstance(evaluator, Mapping) and evaluator.get("is_alive"):
        return _healthy("evaluator")
    return HealthCheck(name="evaluator", status="degraded", detail="nobody evaluates")


CHECKS: Final[Mapping[str, tuple[Check, HealthStatus]]] = {
    "database": (check_database, "unhealthy"),
    "cache": (check_cache, "unhealthy"),
    "store": (check_store, "degraded"),
    "evaluator": (check_evaluator, "degraded"),
}
"""Each check, and what it means when it cannot be carried out."""

_kept: dict[str, tuple[float, HealthCheck | None]] = {}


def readiness(*, now: float) -> DetailedHealth:
    """Return whether requests should be sent here. Never raises."""
    found = [_outcome(name, now) for name in CHECKS]
    checks = [check for check in found if check is not None]
    statuses = {check.status for check in checks}
    status: HealthStatus = next(
        (each for each in _WORST_FIRST if each in statuses), "healthy"
    )
    return DetailedHealth(status=status, checks=checks)


def forget() -> None:
    """Check anew the next time."""
    _kept.clear()


def _outcome(name: str, now: float) -> HealthCheck | None:
    at, check = _kept.get(name, (-KEPT, None))
    if not 0 <= now - at < KEPT:
        check = _carried_out(name, now)
        _kept[name] = now, check
    return check


def _carried_out(name: str, now: float) -> HealthCheck | None:
    check, otherwise = CHECKS[name]
    try:
        return check(now)
    except Exception as error:  # noqa: BLE001 - whatever it is, that is the outcome
        # Its message may quote a password or a value.
        return HealthCheck(name=name, status=otherwise, detail=type(error).__name__)


def _healthy(name: str) -> HealthCheck:
    return HealthCheck(name=name, status="healthy", detail="answers")
