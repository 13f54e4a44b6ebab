"""What happens now, from two readings of counts that only grow."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from demo_runner.readings import Summary


@dataclass(frozen=True, slots=True)
class Rates:
    """Requests and queries per second, and the share of requests that failed."""

    requests: float = 0.0
    queries: float = 0.0
    errors: float = 0.0


class Recently:
    """Compares each summary with the one of some seconds before."""

    def __init__(self, seconds: float = 10.0) -> None:
        self._seconds = seconds
        self._summaries: deque[Summary] = deque()

    def rates(self, now: Summary) -> Rates:
        """Take a summary in and return the rates since the oldest one kept."""
        self._summaries.append(now)
        while len(self._summaries) > 2 and self._is_old(self._summaries[1], now):
            self._summaries.popleft()
        before = self._summaries[0]
        elapsed = now.at - before.at
        requests = now.requests.count - before.requests.count
        failed = now.requests.error_count - before.requests.error_count
        if elapsed <= 0 or requests <= 0:
            return Rates()
        queries = now.query_count - before.query_count
        return Rates(requests / elapsed, queries / elapsed, failed / requests)

    def _is_old(self, summary: Summary, now: Summary) -> bool:
        return now.at - summary.at >= self._seconds
