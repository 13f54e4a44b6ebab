"""The one place that reads `MONITORING_SETTINGS`.

`current()` never raises for a wrong value: that field has its default, the mistake is
one log line and a system-check error (`checks.py`). Reading is cached until
`override_settings` changes the setting.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.conf import settings
from django.core.signals import setting_changed
from django.utils.module_loading import import_string

from prs_otel import validation
from prs_otel.overlay import Ignored, overlaid
from prs_otel.project import (
    default_store_files,
    default_store_url,
    project_directory,
    project_name,
)
from prs_otel.settings_model import FOLLOWED, MonitoringSettings
from prs_otel.validation import Problem

__all__ = [
    "FOLLOWED",
    "MonitoringSettings",
    "current",
    "default_store_files",
    "default_store_url",
    "problems",
    "project_directory",
    "project_name",
    "tenant_resolver",
    "user_organization",
]

logger = logging.getLogger("prs_otel")

SETTING: Final = "MONITORING_SETTINGS"
SOURCES: Final = frozenset((SETTING, "BASE_DIR"))
"""The Django settings that decide what is in force here."""

Resolver = Callable[[Any], str | int | None]


@dataclass(frozen=True, slots=True)
class _Loaded:
    settings: MonitoringSettings
    problems: tuple[Problem, ...]
    ignored: tuple[Ignored, ...]


_loaded: _Loaded | None = None
_changes: Mapping[str, object] = {}
_resolvers: dict[str, Resolver | Problem | None] = {}


def current() -> MonitoringSettings:
    """Return the settings in force."""
    return _load().settings


def written() -> Mapping[str, object]:
    """Return what the settings file says, empty where that is no dictionary."""
    raw = getattr(settings, SETTING, {})
    return raw if isinstance(raw, Mapping) else {}


def change(changes: Mapping[str, object]) -> None:
    """Put `changes` over what the settings file says, in place of earlier ones.

    Thread-safe. What the settings file contradicts by now is left out, and one log line.
    """
    global _changes, _loaded
    _changes = dict(changes)
    _loaded = _read()


def changed_by(
    changes: Mapping[str, object],
) -> tuple[MonitoringSettings, list[Ignored]]:
    """Return what is in force with `changes`, and those of them that cannot be."""
    early = {field.upper() for field in MonitoringSettings.model_fields} - FOLLOWED
    late = [
        Ignored(key, value, f"{SETTING}[{key!r}] is read when a process starts.")
        for key, value in changes.items()
        if key in early
    ]
    timely = {key: each for key, each in changes.items() if key not in early}
    found, ignored = overlaid(MonitoringSettings, written(), timely, name=SETTING)
    return found, [*late, *ignored]


def problems() -> tuple[Problem, ...]:
    """Return every mistake in the settings; imports what dotted paths name.

    Call it once Django's applications are ready.
    """
    found = (_resolve("tenant_resolver"), _resolve("user_organization"))
    return (
        *_load().problems,
        *(problem for problem in found if isinstance(problem, Problem)),
    )


def tenant_resolver() -> Resolver | None:
    """Return the function that names a request's organisation."""
    found = _resolve("tenant_resolver")
    return None if isinstance(found, Problem) else found


def user_organization() -> Resolver | None:
    """Return the function that names the organisation a user may see."""
    found = _resolve("user_organization")
    return None if isinstance(found, Problem) else found


def _load() -> _Loaded:
    global _loaded
    found = _loaded
    if found is None:
        found = _loaded = _read()
    return found


def _read() -> _Loaded:
    raw = getattr(settings, SETTING, {})
    loaded, found = validation.load(MonitoringSettings, raw, name=SETTING)
    _log(found)
    ignored: list[Ignored] = []
    if _changes:
        loaded, ignored = changed_by(_changes)
    for each in ignored:
        logger.warning(
            "The change of %s to %s is not in force: %s",
            each.key,
            validation.shown(each.value),
            each.reason,
        )
    return _Loaded(loaded, tuple(found), tuple(ignored))


def _resolve(field: str) -> Resolver | Problem | None:
    # Not at load: the module a path names may itself need the settings.
    if field not in _resolvers:
        found = _imported(field, getattr(current(), field))
        if isinstance(found, Problem):
            _log([found])
        _resolvers[field] = found
    return _resolvers[field]


def _imported(field: str, value: object) -> Resolver | Problem | None:
    key = field.upper()
    if value is None:
        return None
    reason = "it is not a function"
    if isinstance(value, str):
        try:
            value = import_string(value)
        except Exception as error:  # noqa: BLE001 - an import runs the user's code
            reason = f"{type(error).__name__}: {error}"
    if callable(value):
        return value
    return Problem(
        kind="import",
        key=key,
        message=f"{SETTING}[{key!r}] cannot be {validation.shown(value)}: {reason}.",
        hint=f"Write {validation.expected(MonitoringSettings, field)}.",
    )


def _log(found: list[Problem]) -> None:
    for problem in found:
        logger.error("%s %s", problem.message, problem.hint)


def _forget(*, setting: str, **_: object) -> None:
    """Read the settings anew after a test has overridden them."""
    global _loaded
    if setting in SOURCES:
        _loaded = None
        _resolvers.clear()


setting_changed.connect(_forget)
