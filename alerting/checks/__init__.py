"""System checks: tell about wrong settings when the project starts, by stable ids."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Final

from django.conf import settings
from django.core import checks

from alerting import conf
from alerting.channels import build_channels
from alerting.channels.availability import why_unavailable
from alerting.channels.email import EmailChannel, sender
from alerting.checks import mail, webhook

if TYPE_CHECKING:
    from django.apps import AppConfig

__all__ = [
    "IDS",
    "NO_MAIL_SERVER",
    "OPEN_WEBHOOK",
    "SINK",
    "TAG",
    "UNAVAILABLE",
    "WARNINGS",
    "check_channels",
    "check_mail",
    "check_mail_arrives",
    "check_settings",
    "check_webhook",
    "register",
]

TAG: Final = "prs_alerting"

IDS: Final[dict[conf.Kind, str]] = {
    "shape": "prs_alerting.E001",
    "unknown": "prs_alerting.E002",
    "value": "prs_alerting.E003",
    "rule": "prs_alerting.E004",
    "channel": "prs_alerting.E005",
}
UNAVAILABLE: Final = "prs_alerting.W001"
NO_MAIL_SERVER: Final = "prs_alerting.W002"
SINK: Final = "prs_alerting.W003"
OPEN_WEBHOOK: Final = "prs_alerting.W004"
WARNINGS: Final = (UNAVAILABLE, NO_MAIL_SERVER, SINK, OPEN_WEBHOOK)


def register() -> None:
    """Register our checks; called once, when Django's applications are ready."""
    checks.register(check_settings, TAG)
    checks.register(check_channels, TAG)
    checks.register(check_mail, TAG)
    # A test run and a developer's machine send no mail on purpose.
    checks.register(check_mail_arrives, TAG, deploy=True)
    checks.register(check_webhook, TAG, checks.Tags.security, deploy=True)


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


def check_mail(
    app_configs: Sequence[AppConfig] | None, **_: object
) -> list[checks.CheckMessage]:
    """Warn when alerts are told by mail and no mail server has been configured."""
    return _warnings(mail.problems, NO_MAIL_SERVER)


def check_mail_arrives(
    app_configs: Sequence[AppConfig] | None, **_: object
) -> list[checks.CheckMessage]:
    """Warn when alerts are told by mail that a deployed site would send to nobody."""
    return _warnings(mail.sinks, SINK)


def check_webhook(
    app_configs: Sequence[AppConfig] | None, **_: object
) -> list[checks.CheckMessage]:
    """Warn when a deployed site takes alerts from whoever can reach it."""
    secrets = conf.webhook_secrets()
    has_secret = secrets is None or secrets.are_set
    if not webhook.is_open(has_secret=has_secret, is_debug=settings.DEBUG):
        return []
    return [checks.Warning(webhook.MESSAGE, hint=webhook.HINT, id=OPEN_WEBHOOK)]


def _warnings(
    judge: Callable[[mail.MailSetup], Iterator[mail.MailProblem]], id_: str
) -> list[checks.CheckMessage]:
    channels = build_channels(conf.current().channels)
    mailing = [each for each in channels if isinstance(each, EmailChannel)]
    if not any(each.recipients() for each in mailing):
        return []
    return [
        checks.Warning(problem.message, hint=problem.hint, id=id_)
        for problem in judge(mail.setup(settings, sender()))
    ]
