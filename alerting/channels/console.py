"""Tell whoever watches the server's terminal."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from alerting.channels.base import DeliveryError
from alerting.notifications.message import text

if TYPE_CHECKING:
    from alerting.notifications.message import Message

__all__ = ["ConsoleChannel"]


class ConsoleChannel:
    """Standard error, in full."""

    name = "console"

    def unavailable(self) -> str:
        """Return "": a process without standard error is found out when it is used."""
        return ""

    def recipients(self) -> tuple[str, ...]:
        """Return what is written to."""
        return ("stderr",)

    def send(self, message: Message) -> tuple[str, ...]:
        """Write the whole message at once, so that no other line falls into it."""
        try:
            sys.stderr.write(f"{text(message)}\n")
            sys.stderr.flush()
        except (AttributeError, OSError, ValueError) as error:
            raise DeliveryError(f"standard error cannot be written: {error}") from None
        return self.recipients()
