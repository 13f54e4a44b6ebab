"""What a channel is: something that can tell people, or fail in a way that is understood."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, Protocol, runtime_checkable

if TYPE_CHECKING:
    from alerting.notice import Notice
    from alerting.notifications.message import Message

__all__ = ["NO_TIME", "SEND_SECONDS", "Channel", "DeliveryError", "Resending"]

# After that a channel begins with no other recipient: a message is claimed for two minutes.
SEND_SECONDS: Final = 45.0
NO_TIME: Final = "had to wait, because the others took so long"


class DeliveryError(Exception):
    """A message that could not be delivered, or not to everybody.

    A `permanent` failure is not worth another attempt; `retry_after` is how many seconds
    the receiver asks to be left alone; `accepted` are the recipients who have it all the
    same, and must not get it again. The message is for people and has no secrets.
    """

    def __init__(
        self,
        message: str,
        *,
        permanent: bool = False,
        retry_after: float | None = None,
        accepted: tuple[str, ...] = (),
    ) -> None:
        super().__init__(message)
        self.permanent = permanent
        self.retry_after = retry_after
        self.accepted = accepted


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


@runtime_checkable
class Resending(Protocol):
    """A channel whose receiver keeps what fires, and forgets what it is not told again.

    `resend` is handed the last alarm of every open alert that was told there, every
    `resend_every` seconds. It fails as `send` does. It is also told, beyond all limits, when
    an alert that it shows gets worse or better.
    """

    resend_every: float

    def resend(self, notices: Sequence[Notice]) -> None:
        """Say once more that these alerts fire."""
        ...
