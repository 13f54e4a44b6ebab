"""Tell people of slow queries and requests, on the logger ``performance``.

Taken, in the background, from what a delta kept as its slowest samples, so that a request never
waits for a log file; bounded, because whoever has a thousand slow queries a second needs no
thousand lines. The worst of each delta come first, and what is left out is counted and said.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from prs_otel.rollup import series
from prs_otel.rollup.sample import KEPT, best
from prs_otel.slow_log.entry import EVENTS, entry, summary
from prs_otel.slow_log.token_bucket import TokenBucket
from prs_otel.slow_log.writer import Writer

if TYPE_CHECKING:
    from prs_otel.observation import Thresholds
    from prs_otel.rollup.delta import Delta
    from prs_otel.rollup.sample import Sample
    from prs_otel.slow_log.entry import Entry

__all__ = ["BURST", "PER_SECOND", "SlowLog"]

logger = logging.getLogger("performance")

BURST: Final = 10
PER_SECOND: Final = 1.0
"""Lines of each kind that a process writes at once, and then every second."""

_NS: Final = 1e9


class SlowLog:
    """Write the slow samples of each delta; ``text`` knows the SQL of a fingerprint.

    For one thread. A forked child makes a log of its own.
    """

    def __init__(
        self, *, thresholds: Callable[[], Thresholds], text: Callable[[str], str]
    ) -> None:
        self._thresholds = thresholds
        self._text = text
        self._writer = Writer(logger)
        self._buckets = {kind: TokenBucket(BURST, PER_SECOND) for kind in EVENTS}
        self._suppressed = dict.fromkeys(EVENTS, 0)

    def write(self, delta: Delta) -> None:
        """Have a line written for each of the slowest, as far as the rate allows."""
        thresholds = self._thresholds()
        self._write(delta, series.QUERY, thresholds.slow_query)
        self._write(delta, series.REQUEST, thresholds.slow_request)
        self._write(delta, series.TASK, thresholds.slow_task)

    def stop(self, timeout: float) -> bool:
        """Wait until everything is written; tell whether it was within ``timeout`` seconds."""
        return self._writer.stop(timeout)

    def _write(self, delta: Delta, kind: str, threshold: int) -> None:
        kept = delta.samples.get(kind, ())
        slow = [each for each in kept if each.duration * _NS > threshold]
        for sample in best(slow, len(slow)):
            if not self._has_written(kind, delta.end, sample):
                self._suppressed[kind] += 1
        if len(kept) >= KEPT:
            # Only so many samples of a delta are kept, but all are counted.
            self._suppressed[kind] += max(_slow_count(delta, kind) - len(slow), 0)
        if self._suppressed[kind] and not slow:
            self._has_written(kind, delta.end, None)

    def _has_written(self, kind: str, now: float, sample: Sample | None) -> bool:
        if not self._buckets[kind].take(now):
            return False
        has_written = self._writer.write(self._entry(kind, sample))
        if has_written:
            self._suppressed[kind] = 0
        return has_written

    def _entry(self, kind: str, sample: Sample | None) -> Entry:
        suppressed = self._suppressed[kind]
        if sample is None:
            return summary(kind, suppressed=suppressed)
        return entry(sample, self._text(sample.fingerprint), suppressed=suppressed)


def _slow_count(delta: Delta, kind: str) -> int:
    return sum(cell.slow for cell in delta.cells.by_kind.get(kind, {}).values())
