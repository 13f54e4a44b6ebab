"""Whether the settings let anything be measured, and whether they are the server's."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Final

from django.apps import apps
from django.conf import settings

from prs_otel import checks, conf
from prs_otel.checks.finding import ORDER, REPEATED
from prs_otel.diagnosis.finding import Finding, Level

if TYPE_CHECKING:
    from prs_otel.diagnosis.surroundings import Surroundings

VARIABLE: Final = "DJANGO_SETTINGS_MODULE"
_NAMED: Final = re.compile(rf"{VARIABLE}['\"]\s*,\s*['\"]([A-Za-z_][\w.]*)")


def examine(around: Surroundings) -> Iterator[Finding]:
    """Look at the settings of this process."""
    if not around.is_enabled:
        yield Finding(
            "settings",
            "critical",
            'Monitoring is switched off: MONITORING_SETTINGS["ENABLED"] is False.',
            "Remove the key, or set it to True, and restart the server.",
        )
    for problem in conf.problems():
        yield Finding("settings", "warning", problem.message, problem.hint)
    yield from _middleware()
    yield from _settings_module(around)
    yield _applications()


def _middleware() -> Iterator[Finding]:
    """Yield what the system checks say of the middleware; of the rest we know more."""
    for found in checks.findings():
        if found.id in {ORDER, REPEATED}:
            yield Finding("settings", "warning", found.message, found.hint)


def _settings_module(around: Surroundings) -> Iterator[Finding]:
    ours = str(getattr(settings, "SETTINGS_MODULE", "") or "")
    others = {name: where for where, name in _named_elsewhere(around) if name != ours}
    if not others:
        yield Finding("settings", "ok", f"The settings are {ours or 'configured'}.")
    for name, where in others.items():
        # Whoever shares a store with the server has settings that agree where it matters.
        level: Level = "ok" if around.workers else "warning"
        yield Finding(
            "settings",
            level,
            f"This command runs with {ours}, but {where} names {name}.",
            f"Run it as the server runs: {VARIABLE}={name} python manage.py …",
        )


def _named_elsewhere(around: Surroundings) -> Iterator[tuple[str, str]]:
    """Yield where a settings module is named that the server may run with, and its name."""
    for server in around.servers:
        if VARIABLE in server.environment:
            yield server.title, server.environment[VARIABLE]
            # What its application would name is of no importance then.
            return
    for setting in ("WSGI_APPLICATION", "ASGI_APPLICATION"):
        dotted = str(getattr(settings, setting, None) or "")
        named = _NAMED.search(_source(dotted.rpartition(".")[0]))
        if named:
            yield dotted.rpartition(".")[0], named[1]


def _source(module: str) -> str:
    try:
        spec = find_spec(module) if module else None
        return Path(spec.origin).read_text() if spec and spec.origin else ""
    except (ImportError, OSError, ValueError):
        return ""


def _applications() -> Finding:
    if apps.is_installed("alerting"):
        message = '"prs_otel" and "alerting" are in INSTALLED_APPS.'
        return Finding("settings", "ok", message)
    return Finding(
        "settings",
        "warning",
        "Alerting is not installed: nobody is told when something is wrong.",
        'Add "alerting" to INSTALLED_APPS and run manage.py migrate.',
    )
