"""Tell another system: a signed JSON document, posted to its address."""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Final

from pydantic import Field, SecretStr

from alerting.channels.document import VERSION, encoded
from alerting.channels.http import TIMEOUT, Http, Post
from alerting.channels.options import HttpAddress, Options, Seconds, Write

if TYPE_CHECKING:
    from alerting.notifications.message import Message

__all__ = ["SIGNATURE", "TIMESTAMP", "WebhookChannel", "WebhookOptions", "signature"]

TIMESTAMP: Final = "X-Prs-Timestamp"
SIGNATURE: Final = "X-Prs-Signature"


class WebhookOptions(Options):
    """Where to post to, and the secret that both sides know."""

    url: HttpAddress
    secret: Annotated[
        SecretStr | None,
        Field(min_length=16),
        Write("a string of 16 characters or more that both sides know, or None"),
    ] = None
    timeout: Seconds = TIMEOUT


class WebhookChannel:
    """One receiver. Without a `secret` nothing is signed."""

    Options = WebhookOptions

    def __init__(
        self,
        name: str,
        options: WebhookOptions,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.name = name
        self._options = options
        self._clock = clock
        self._http = Http(timeout=options.timeout, clock=clock)

    def unavailable(self) -> str:
        """Return "": whether the receiver is there is found out when it is used."""
        return ""

    def recipients(self) -> tuple[str, ...]:
        """Return the receiver's scheme, host and port."""
        return (self._options.url.origin,)

    def send(self, message: Message) -> tuple[str, ...]:
        """Post the message; raise `DeliveryError` unless it is taken."""
        body = encoded(message)
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "Idempotency-Key": message.key,
            "X-Prs-Version": VERSION,
            **self._signed(body),
        }
        self._http.send(self._options.url, Post(body, headers))
        return self.recipients()

    def _signed(self, body: bytes) -> dict[str, str]:
        timestamp = str(int(self._clock()))
        secret = self._options.secret
        if secret is None:
            return {TIMESTAMP: timestamp}
        signed = signature(secret.get_secret_value(), timestamp, body)
        return {TIMESTAMP: timestamp, SIGNATURE: f"v1={signed}"}


def signature(secret: str, timestamp: str, body: bytes) -> str:
    """Return the HMAC-SHA256 of the timestamp, a dot and the raw body, as hex digits."""
    signed = timestamp.encode() + b"." + body
    return hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
