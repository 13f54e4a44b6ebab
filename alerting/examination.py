"""What keeps alerts from reaching anybody, asked of the channels themselves."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from alerting.channels import DeliveryError
from alerting.channels.availability import why_unavailable
from alerting.channels.email import EmailChannel, backend_path

if TYPE_CHECKING:
    from alerting.channels import Channel

__all__ = ["Finding", "examine"]

# Backends of Django's that send to nobody, by the module they are in.
_MUTE: Final = ("console", "dummy", "filebased", "locmem")
_ADVICE: Final = "Then try it: manage.py manage_monitoring test-alert --rule-name …"


@dataclass(frozen=True, slots=True)
class Finding:
    """Say what is so, how bad that is, and what to do; where all is well, nothing."""

    level: Literal["ok", "warning", "critical"]
    message: str
    remedy: str = ""


def examine(channels: Sequence[Channel]) -> Iterator[Finding]:
    """Yield what is found of each channel; a mail server is greeted, and sent nothing."""
    if not channels:
        yield Finding(
            "warning",
            "No channel is configured: nobody is told of any alert.",
            'Write ALERTING_SETTINGS = {"CHANNELS": ["email", "log"]}.',
        )
    for channel in channels:
        reason = why_unavailable(channel)
        if reason:
            yield Finding(
                "warning",
                f"Alerts are not told by {channel.name}: {reason}.",
                f"Put it right, or take {channel.name!r} out of CHANNELS. {_ADVICE}",
            )
        elif isinstance(channel, EmailChannel):
            yield _email(channel)
        else:
            yield Finding("ok", f"Alerts are told by {channel.name}.")


def _email(channel: EmailChannel) -> Finding:
    backend = backend_path()
    if backend.startswith("django.core.mail.backends.") and (
        backend.split(".")[-2] in _MUTE
    ):
        return Finding(
            "warning",
            f"Mail is not sent to anybody: its backend is {backend}.",
            "Configure the backend for SMTP, with the address of your mail server. "
            f"{_ADVICE}",
        )
    try:
        channel.greet()
    except DeliveryError as error:
        return Finding(
            "critical",
            f"The mail server cannot be used: {error}",
            f"Correct its address and login in the settings. {_ADVICE}",
        )
    count = len(channel.recipients())
    return Finding("ok", f"The mail server answers; ADMINS who are told: {count}.")
