"""Whether this process can do its work: what it depends on, asked at most every few seconds.

A default database or a cache that does not answer makes it unhealthy; a further database, often
a replica or an archive, degrades it. So do the monitor's own troubles, since the application
answers without them; and an alert that fires says that something was noticed, not that this
process should get no more requests.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Final, NamedTuple

from django.core.cache import caches
from django.core.cache.backends.dummy import DummyCache
from django.db import DEFAULT_DB_ALIAS, connections
from opentelemetry.instrumentation.utils import suppress_instrumentation

from prs_otel import native, pipeline
from prs_otel.monitoring import deadline
from prs_otel.monitoring.documents.health import store_check
from prs_otel.monitoring.registry import (
    ALERTING,
    StatusRequest,
    plain_document,
    requested_status,
)
from prs_otel.monitoring.schemas import DetailedHealth, HealthCheck, HealthStatus

if TYPE_CHECKING:
    from concurrent.futures import Future

KEPT: Final = 5.0
"""Seconds for which the outcome of a check is told again instead of checking anew."""
DEADLINE: Final = 2.0
"""Seconds that all checks together are waited for."""

_KEY: Final = "prs_otel.ready"
_NO_DATABASE: Final = "django.db.backends.dummy"
_WORST_FIRST: Final[tuple[HealthStatus, ...]] = ("unhealthy", "degraded")


class Check(NamedTuple):
    """What is asked, and what it means when there is no answer."""

    ask: Callable[[float], HealthCheck | None]
    otherwise: HealthStatus


def check_database(alias: str, name: str, now: float) -> HealthCheck:
    """Ask a database for nothing in particular, on a connection of this thread's own."""
    connection = connections[alias]
    try:
        with suppress_instrumentation(), connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    finally:
        connection.close()
    return _healthy(name)


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


CHECKS: Final[Mapping[str, Check]] = {
    "cache": Check(check_cache, "unhealthy"),
    "store": Check(check_store, "degraded"),
    "evaluator": Check(check_evaluator, "degraded"),
}
"""The checks that every project has, by name."""


class Asked(NamedTuple):
    """When a check was begun, and its outcome."""

    at: float
    outcome: Future[HealthCheck | None]


_asked: dict[str, Asked] = {}
_asking = native.allocate_lock()


def readiness(*, now: float) -> DetailedHealth:
    """Return whether requests should be sent here, within `DEADLINE`. Never raises.

    A check that hangs is not begun again before it ends. Thread-safe and fork-safe.
    """
    checks = {**dict(_database_checks()), **CHECKS}
    # All are begun before one is waited for.
    asked = {name: _ask(name, check, now) for name, check in checks.items()}
    outcomes = (_outcome(name, checks[name], asked[name], now) for name in checks)
    found = [outcome for outcome in outcomes if outcome is not None]
    return DetailedHealth(status=_worst(found), checks=found)


def forget() -> None:
    """Check anew the next time."""
    global _asking
    _asked.clear()
    _asking = native.allocate_lock()


# The threads that ask are not there in a child.
os.register_at_fork(after_in_child=forget)


def _database_checks() -> Iterator[tuple[str, Check]]:
    for alias, settings in connections.settings.items():
        # None configured: Django's stand-in would raise whatever it is asked.
        if settings["ENGINE"] == _NO_DATABASE:
            continue
        is_default = alias == DEFAULT_DB_ALIAS
        name = "database" if is_default else f"database:{alias}"
        otherwise: HealthStatus = "unhealthy" if is_default else "degraded"
        yield name, Check(partial(check_database, alias, name), otherwise)


def _ask(name: str, check: Check, now: float) -> Asked:
    with _asking:
        asked = _asked.get(name)
        is_fresh = asked is not None and 0 <= now - asked.at < KEPT
        if asked is None or (asked.outcome.done() and not is_fresh):
            question = partial(check.ask, now)
            asked = Asked(now, deadline.asked(question, name=f"prs-otel {name}"))
            _asked[name] = asked
        return asked


def _outcome(name: str, check: Check, asked: Asked, now: float) -> HealthCheck | None:
    # What has hung since an earlier request is not waited for again.
    left = max(0.0, asked.at + DEADLINE - now)
    try:
        return asked.outcome.result(left)
    except TimeoutError:
        detail = f"no answer within {DEADLINE:g} s"
    except Exception as error:  # noqa: BLE001 - whatever it is, that is the outcome
        # Its message may quote a password or a value.
        detail = type(error).__name__
    return HealthCheck(name=name, status=check.otherwise, detail=detail)


def _worst(found: list[HealthCheck]) -> HealthStatus:
    statuses = {check.status for check in found}
    return next((each for each in _WORST_FIRST if each in statuses), "healthy")


def _healthy(name: str) -> HealthCheck:
    return HealthCheck(name=name, status="healthy", detail="answers")
