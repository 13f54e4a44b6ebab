"""Ask for an address as long as rules are evaluated: its owner notices when that ends."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from alerting.channels.base import DeliveryError
from alerting.channels.http import Http, Post

if TYPE_CHECKING:
    from alerting.channels.address import Address

__all__ = ["DeadMansSwitch", "Pings"]

EVERY: Final = 60.0  # seconds


@dataclass(frozen=True, slots=True)
class Pings:
    """How the pings went; times are epoch seconds."""

    failures: int = 0
    last_error: str = ""
    last_success_at: float | None = None


class DeadMansSwitch:
    """One address, asked for every minute by the thread that sends.

    `patience` is how many seconds ago the last evaluation may have been.
    """

    def __init__(self, address: Address, *, patience: float, http: Http | None = None):
        self.pings = Pings()
        self._address = address
        self.patience = patience
        self._http = http or Http()
        self._next = 0.0

    def ping(self, *, evaluated_at: float, now: float) -> None:
        """Ask for the address if it is time to; a failure is only counted."""
        if 0 < self._next - now <= EVERY or now - evaluated_at > self.patience:
            return
        self._next = now + EVERY
        try:
            self._http.send(self._address, Post(b"", method="GET"))
        except DeliveryError as error:
            failures = self.pings.failures + 1
            self.pings = replace(self.pings, failures=failures, last_error=str(error))
        else:
            self.pings = replace(self.pings, last_error="", last_success_at=now)
