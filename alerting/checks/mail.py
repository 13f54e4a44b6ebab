"""Judge whether the mails that alerts are told by can leave this site."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from email.utils import parseaddr
from typing import Any, Final

__all__ = ["MailProblem", "MailSetup", "problems", "setup", "sinks"]

SMTP: Final = "django.core.mail.backends.smtp.EmailBackend"
SINKS: Final = frozenset(
    f"django.core.mail.backends.{kind}.EmailBackend"
    for kind in ("console", "dummy", "filebased", "locmem")
)


@dataclass(frozen=True, slots=True)
class MailSetup:
    """How the project sends mail; `host` is "" where it has chosen no server."""

    backend: str
    host: str
    sender: str


@dataclass(frozen=True, slots=True)
class MailProblem:
    """Say why mails do not arrive, and what to write instead."""

    message: str
    hint: str


def setup(settings: Any, sender: str) -> MailSetup:  # noqa: ANN401 - Django's settings
    """Return what the settings say about mail, in the old way or that of Django 6.1."""
    mailers: Any = getattr(settings, "MAILERS", None)
    if mailers:
        mailer = mailers.get("default", {})
        host = mailer.get("OPTIONS", {}).get("host", "")
        return MailSetup(str(mailer.get("BACKEND", SMTP)), str(host or ""), sender)
    # Django's own default is a server on this host, which hardly any has.
    chosen = settings.EMAIL_HOST if settings.is_overridden("EMAIL_HOST") else ""
    return MailSetup(settings.EMAIL_BACKEND, str(chosen or ""), sender)


def problems(mail: MailSetup) -> Iterator[MailProblem]:
    """Yield what keeps mails from being sent, or from being taken."""
    if mail.backend != SMTP:
        return
    if not mail.host:
        yield MailProblem(
            "Alerts are told by email, but no mail server is configured.",
            "Write EMAIL_HOST (in MAILERS: OPTIONS['host']) and what that server asks "
            "for; 'localhost' if one on this host is meant.",
        )
    if parseaddr(mail.sender)[1].endswith("@localhost"):
        yield MailProblem(
            f"Alerts are mailed from {mail.sender}, which hardly any mail server takes.",
            "Write an address of your domain as DEFAULT_FROM_EMAIL.",
        )


def sinks(mail: MailSetup) -> Iterator[MailProblem]:
    """Yield a problem where mails reach nobody by design, as in development."""
    if mail.backend in SINKS:
        yield MailProblem(
            f"Alerts are told by email, but {mail.backend} sends nothing to anybody.",
            f"Write EMAIL_BACKEND (in MAILERS: BACKEND) = {SMTP!r}.",
        )
