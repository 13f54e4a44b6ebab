"""All visitors together: threads that follow the phases at a bounded rate."""

from __future__ import annotations

import threading
import time
from random import Random
from typing import TYPE_CHECKING

from demo_runner.client import TIMEOUT, Client
from demo_runner.phases import phase_at
from demo_runner.visitor import Visitor, sign_in

if TYPE_CHECKING:
    from collections.abc import Sequence

    from demo_runner.ledger import Ledger
    from demo_runner.phases import Phase

REQUESTS_PER_SECOND = 30.0


class Traffic:
    """Visitors who use the site from `start` to `stop`; no `duration` is for ever."""

    def __init__(self, port: int, ledger: Ledger, *, duration: float | None) -> None:
        self._port = port
        self._ledger = ledger
        self.duration = duration
        self._started_at = 0.0
        self._stopping = threading.Event()
        self._threads: list[threading.Thread] = []

    def start(self, usernames: Sequence[str], password: str) -> None:
        """Sign everybody in, then let them loose together."""
        visitors = []
        for number, username in enumerate(usernames):
            client = Client(self._port, self._ledger)
            known = sign_in(client, username, password)
            visitors.append(Visitor(client, known, Random(number)))
        interval = len(visitors) / REQUESTS_PER_SECOND
        self._started_at = time.monotonic()
        for visitor in visitors:
            thread = threading.Thread(
                target=self._keep_visiting, args=(visitor, interval), daemon=True
            )
            self._threads.append(thread)
            thread.start()

    def _keep_visiting(self, visitor: Visitor, interval: float) -> None:
        due = time.monotonic()
        while not self._stopping.is_set():
            visitor.turn(self.phase())
            # After a slow page the visitor goes on; turns missed are not made up for.
            due = max(due + interval, time.monotonic())
            self._stopping.wait(due - time.monotonic())

    @property
    def elapsed(self) -> float:
        """The seconds since the visitors were let loose."""
        return time.monotonic() - self._started_at

    def phase(self) -> Phase:
        """Return the phase the visitors are in."""
        return phase_at(self.elapsed, self.duration)

    def stop(self) -> None:
        """Send everybody home, once they have the responses they wait for."""
        self._stopping.set()
        for thread in self._threads:
            thread.join(TIMEOUT)
        self._threads.clear()
