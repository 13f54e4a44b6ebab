"""System checks: tell about wrong settings when the project starts, by stable ids."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from django.core import checks

from prs_otel import conf

if TYPE_CHECKING:
    from django.apps import AppConfig

    from prs_otel.validation import Kind, Problem

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
    checks.register(check_settings)


def check_settings(
    app_configs: Sequence[AppConfig] | None, **_: object
) -> list[checks.CheckMessage]:
    """Report every mistake in `MONITORING_SETTINGS`."""
    return [_message(problem) for problem in conf.problems()]


def _message(problem: Problem) -> checks.CheckMessage:
    return checks.Error(problem.message, hint=problem.hint, id=IDS[problem.kind])
