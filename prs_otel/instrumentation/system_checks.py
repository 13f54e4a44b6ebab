"""Leave what Django's system checks ask the databases out of every figure.

From Django 6.1 on they ask each database what it can do whenever a command or a Celery
worker starts: queries about the code, not by the application.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.core import checks

from prs_otel.instrumentation.measuring import unmeasured

_Run = Callable[..., list[checks.CheckMessage]]

_original: _Run | None = None


def install() -> None:
    """Measure no query of `run_checks`; calling again changes nothing."""
    global _original
    if _original is None:
        _original = checks.run_checks
        checks.run_checks = _unmeasured(_original)


def uninstall() -> None:
    """Leave Django's function as it was."""
    global _original
    if _original is not None:
        checks.run_checks = _original
        _original = None


def _unmeasured(original: _Run) -> _Run:
    @wraps(original)
    def run_checks(*args: Any, **kwargs: Any) -> list[checks.CheckMessage]:  # noqa: ANN401 - Django's
        with unmeasured():
            return original(*args, **kwargs)

    return run_checks
