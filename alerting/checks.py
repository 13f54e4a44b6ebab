"""System checks: tell about wrong settings when the project starts, by stable ids."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from django.core import checks

from alerting import conf
from alerting.channels import build_channels
from alerting.channels.availability import why_unavailable

if TYPE_CHECKING:
    from django.apps import AppConfig

__all__ = ["IDS", "UNAVAILABLE", "check_channels", "check_settings", "register"]

IDS: Final[dict[conf.Kind, str]] = {
    "shape": "prs_alerting.E001",
    "unknown": "prs_alerting.E002",
    "value": "prs_alerting.E003",
    "rule": "prs_alerting.E004",
    "channel": "prs_alerting.E005",
}
UNAVAILABLE: Final = "prs_alerting.W001"


def register() -> None:
    """Register our checks; called once, when Django's applications are ready."""
    checks.register(check_settings)
    checks.register(check_channels)


def check_settings(
    app_configs: Sequence[AppConfig] | None, **_: object
) -> list[checks.CheckMessage]:
    """Report every mistake in `ALERTING_SETTINGS`."""
    return [
        checks.Error(problem.message, hint=problem.hint, id=IDS[problem.kind])
        for problem in conf.problems()
    ]


def check_channels(
    app_configs: Sequence[AppConfig] | None, **_: object
) -> list[checks.CheckMessage]:
    """Warn about channels that nobody can be told on."""
    return [
        checks.Warning(
            f"Alerts are not told by {channel.name}: {reason}.",
            hint=f"Put it right, or take {channel.name!r} out of "
            f"{conf.SETTING}['CHANNELS'].",
            id=UNAVAILABLE,
        )
        for channel in build_channels(conf.current().channels)
        if (reason := why_unavailable(channel))
    ]
