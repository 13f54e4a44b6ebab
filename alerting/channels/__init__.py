"""The ways to tell people. A new one is a class like these and a dotted path to it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from django.utils.module_loading import import_string

from alerting.channels.base import Channel, DeliveryError, Resending
from alerting.channels.options import OptionError, Options, read_options

__all__ = [
    "BUILT_IN",
    "WITHOUT_OPTIONS",
    "Channel",
    "ChannelEntry",
    "DeliveryError",
    "OptionError",
    "Options",
    "Resending",
    "build_channel",
    "build_channels",
]

# By path, so that a channel is imported only where it is used.
BUILT_IN: Final = {
    "alertmanager": "alerting.channels.alertmanager.AlertmanagerChannel",
    "apprise": "alerting.channels.apprise.AppriseChannel",
    "console": "alerting.channels.console.ConsoleChannel",
    "email": "alerting.channels.email.EmailChannel",
    "log": "alerting.channels.log.LogChannel",
    "webhook": "alerting.channels.webhook.WebhookChannel",
}
WITHOUT_OPTIONS: Final = ("console", "email", "log")
"""Those that need no more than their name."""

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")


@dataclass(frozen=True, slots=True)
class ChannelEntry:
    """One channel as the settings describe it; its options may be secret."""

    type: str
    name: str
    options: Mapping[str, Any] = field(repr=False, default_factory=dict)

    @classmethod
    def read(cls, entry: object) -> ChannelEntry:
        """Read a name, a dotted path or a mapping; raise `OptionError`."""
        if isinstance(entry, cls):
            return entry
        if isinstance(entry, str):
            return cls(entry, entry)
        if not isinstance(entry, Mapping):
            raise OptionError(f"it is of type {type(entry).__name__}")
        kind = entry.get("type")
        if not isinstance(kind, str) or not kind:
            known = ", ".join(map(repr, BUILT_IN))
            raise OptionError(f"'type' is missing; write {known} or a dotted path")
        name = entry.get("name", kind)
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise OptionError(
                f"'name' cannot be {name!r:.80}; write up to 64 letters, digits, '.', "
                "'_' and '-'"
            )
        rest = {k: v for k, v in entry.items() if k not in {"type", "name"}}
        return cls(kind, name, rest)


def build_channel(entry: object) -> Channel:
    """Build the channel of that name, dotted path or mapping.

    Raise `ImportError` when there is none, `TypeError` when it is something else, and
    `OptionError` for what its mapping says wrong.
    """
    read = ChannelEntry.read(entry)
    channel = _made(import_string(BUILT_IN.get(read.type, read.type)), read)
    lacking = [part for part in _PARTS if not hasattr(channel, part)]
    if lacking:
        raise TypeError(f"{read.type} is no channel: it has no {', '.join(lacking)}")
    found: Channel = channel
    return found


def build_channels(entries: Iterable[object]) -> tuple[Channel, ...]:
    """Build every channel once; of one name the first counts."""
    named: dict[str, ChannelEntry] = {}
    for entry in map(ChannelEntry.read, entries):
        named.setdefault(entry.name, entry)
    return tuple(map(build_channel, named.values()))


def _made(kind: Any, entry: ChannelEntry) -> Any:  # noqa: ANN401 - what a path names
    model = getattr(kind, "Options", None)
    if isinstance(model, type) and issubclass(model, Options):
        return kind(entry.name, read_options(model, entry.options))
    if not callable(kind):
        return kind
    if entry.name == entry.type:
        return kind(**entry.options)
    # A class of one's own is handed whatever the mapping says, its name included.
    return kind(name=entry.name, **entry.options)


_PARTS: Final = ("name", "unavailable", "recipients", "send")
