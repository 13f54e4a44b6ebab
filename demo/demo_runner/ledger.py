"""The demo's own books: every response received, to compare with what the view counts."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass
from typing import NamedTuple

SERVER_ERROR = 500


class Series(NamedTuple):
    """What the view counts by: a route with its leading slash, and a method."""

    endpoint: str
    method: str


@dataclass(frozen=True, slots=True)
class Tally:
    """How many responses there were, and how many of them were server errors."""

    count: int
    error_count: int


class Ledger:
    """Counts responses; any thread may write in it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[Series] = Counter()
        self._errors: Counter[Series] = Counter()
        self._unanswered: Counter[str] = Counter()

    def answered(self, series: Series, status: int) -> None:
        """Book a response."""
        with self._lock:
            self._counts[series] += 1
            self._errors[series] += status >= SERVER_ERROR

    def unanswered(self, reason: str) -> None:
        """Book a request whose response never came."""
        with self._lock:
            self._unanswered[reason] += 1

    def tallies(self) -> dict[Series, Tally]:
        """Return what was received so far."""
        with self._lock:
            return {
                series: Tally(count, self._errors[series])
                for series, count in self._counts.items()
            }

    def missing(self) -> dict[str, int]:
        """Return how many responses never came, by reason."""
        with self._lock:
            return dict(self._unanswered)
