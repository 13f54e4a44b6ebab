"""System checks: tell about what keeps a project from being measured, by stable ids.

They look and touch nothing: no file is created, no database asked, and none raises.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Final

from django.conf import settings
from django.core import checks

from prs_otel import conf, guard
from prs_otel.checks import instrumentation, middleware, scrape, store
from prs_otel.checks.finding import IDS as FINDING_IDS
from prs_otel.checks.finding import Finding

if TYPE_CHECKING:
    from django.apps import AppConfig

    from prs_otel.validation import Kind, Problem

__all__ = ["FINDING_IDS", "IDS", "TAG", "Finding", "findings", "register"]

TAG: Final = "prs_otel"

IDS: Final[dict[Kind, str]] = {
    "shape": "prs_otel.E001",
    "unknown": "prs_otel.E002",
    "type": "prs_otel.E003",
    "value": "prs_otel.E004",
    "conflict": "prs_otel.E005",
    "import": "prs_otel.E006",
}


def register() -> None:
    """Register our checks; called once, when Django's applications are ready."""
    checks.register(check_settings, TAG)
    checks.register(check_surroundings, TAG)


def check_settings(
    app_configs: Sequence[AppConfig] | None, **_: object
) -> list[checks.CheckMessage]:
    """Report every mistake in `MONITORING_SETTINGS`."""
    return [_message(problem) for problem in conf.problems()]


def check_surroundings(
    app_configs: Sequence[AppConfig] | None, **_: object
) -> list[checks.CheckMessage]:
    """Warn about what around us keeps us from measuring well."""
    return [
        checks.Warning(finding.message, hint=finding.hint, id=finding.id)
        for finding in findings()
    ]


def findings() -> list[Finding]:
    """Return what is wrong with the settings and the process around us. Never raises."""
    found: list[Finding] = []
    if conf.current().enabled:
        for look in _LOOKS:
            with guard.guarded("checks"):
                found += look()
    return found


def _middleware() -> Iterable[Finding]:
    return middleware.findings(settings.MIDDLEWARE, is_automatic=_is_automatic())


def _asgi() -> Iterable[Finding]:
    if not _is_automatic():
        return ()
    application = getattr(settings, "ASGI_APPLICATION", None)
    return instrumentation.asgi_findings(application, settings.INSTALLED_APPS)


def _is_automatic() -> bool:
    # Imported here, as below: a broken dependency of ours must not stop the project.
    from prs_otel.instrumentation import django_instrumentor

    return not django_instrumentor.is_disabled(os.environ)


def _drivers() -> Iterable[Finding]:
    from prs_otel.instrumentation import drivers

    return instrumentation.driver_findings(drivers.active())


def _store() -> Iterable[Finding]:
    url = conf.current().store
    if url is not None:
        return store.findings(url)
    return store.default_findings(conf.default_store_files())


def _scrape() -> Iterable[Finding]:
    return scrape.findings(is_on=conf.current().scrape_endpoint)


_LOOKS: Final[tuple[Callable[[], Iterable[Finding]], ...]] = (
    _middleware,
    _asgi,
    _drivers,
    _store,
    _scrape,
)


def _message(problem: Problem) -> checks.CheckMessage:
    return checks.Error(problem.message, hint=problem.hint, id=IDS[problem.kind])
