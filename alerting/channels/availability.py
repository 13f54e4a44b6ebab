"""Ask a channel whether it can be used, whatever it answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alerting.text import clean

if TYPE_CHECKING:
    from alerting.channels.base import Channel

__all__ = ["why_unavailable"]


def why_unavailable(channel: Channel) -> str:
    """Return why `channel` cannot be used, "" if it can."""
    try:
        return clean(channel.unavailable() or "")
    except Exception as error:  # noqa: BLE001 - a channel may be anybody's code
        # Not the error's text: it may repeat an address or a password.
        return f"unavailable() raised {type(error).__name__}"
