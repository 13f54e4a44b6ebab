"""What a channel is: something that can tell people, or fail in a way that is understood."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from alerting.notifications.message import Message

__all__ = ["Channel", "DeliveryError"]


class DeliveryError(Exception):
    """A message that could not be delivered.

    A `permanent` failure is not worth another attempt; `retry_after` is how many seconds
    the receiver asks to be left alone. The message is for people and has no secrets.
    """

    def __init__(
        self, message: str, *, permanent: bool = False, retry_after: float | None = None
    ) -> None:
        super().__init__(message)
        self.permanent = permanent
        self.retry_after = retry_after


class Channel(Protocol):
    """One way to tell people. Used by one thread at a time."""

    name: str

    def unavailable(self) -> str:
        """Return why this channel cannot be used as it is configured, "" if it can."""
        ...

    def recipients(self) -> tuple[str, ...]:
        """Return whom it reaches now; a channel without addresses reaches itself."""
        ...

    def send(self, message: Message) -> tuple[str, ...]:
        """Deliver to `message.recipients` and return those who have accepted it.

        Raise `DeliveryError`; any other exception counts as one that may pass. Must
        return within about a minute.
        """
        ...
