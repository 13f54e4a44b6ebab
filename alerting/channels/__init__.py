"""The ways to tell people. A new one is a class like these and a dotted path to it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from django.utils.module_loading import import_string

from alerting.channels.base import Channel, DeliveryError

__all__ = ["BUILT_IN", "Channel", "DeliveryError", "build_channel", "build_channels"]

# By path, so that a channel is imported only where it is used.
BUILT_IN: Final = {
    "console": "alerting.channels.console.ConsoleChannel",
    "email": "alerting.channels.email.EmailChannel",
    "log": "alerting.channels.log.LogChannel",
}


def build_channel(name: str) -> Channel:
    """Build the channel of that name or dotted path.

    Raise `ImportError` when there is none, `TypeError` when it is something else.
    """
    made = import_string(BUILT_IN.get(name, name))
    channel = made() if callable(made) else made
    lacking = [part for part in _PARTS if not hasattr(channel, part)]
    if lacking:
        raise TypeError(f"{name} is no channel: it has no {', '.join(lacking)}")
    found: Channel = channel
    return found


def build_channels(names: Iterable[str]) -> tuple[Channel, ...]:
    """Build every channel once."""
    return tuple(build_channel(name) for name in dict.fromkeys(names))


_PARTS: Final = ("name", "unavailable", "recipients", "send")
