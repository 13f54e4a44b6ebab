"""Tell people of slow queries and requests, on the logger ``performance``.

Written by the background thread from what a delta kept as its slowest samples, so that a request
never waits for a log file; bounded, because whoever has a thousand slow queries a second needs no
thousand lines.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

from prs_otel.rollup import series
from prs_otel.rollup.sample import best

if TYPE_CHECKING:
    from prs_otel.observation import Thresholds
    from prs_otel.rollup.delta import Delta
    from prs_otel.rollup.sample import Sample

logger = logging.getLogger("performance")

LINES = 10
"""How many of each kind are written per delta."""

_NS = 1e9


class SlowLog:
    """Write the slow samples of each delta; ``text`` knows the SQL of a fingerprint."""

    def __init__(
        self, *, thresholds: Callable[[], Thresholds], text: Callable[[str], str]
    ) -> None:
        self._thresholds = thresholds
        self._text = text

    def write(self, delta: Delta) -> None:
        """Write one line for each of the slowest, and how many more there were."""
        thresholds = self._thresholds()
        self._write(delta, series.QUERY, thresholds.slow_query)
        self._write(delta, series.REQUEST, thresholds.slow_request)

    def _write(self, delta: Delta, kind: str, threshold: int) -> None:
        slow = [
            each
            for each in delta.samples.get(kind, ())
            if each.duration * _NS > threshold
        ]
        for sample in best(slow, LINES):
            logger.warning("%s", self._line(sample))
        if len(slow) > LINES:
            what = "queries" if kind == series.QUERY else "requests"
            logger.warning("… and %d more slow %s", len(slow) - LINES, what)

    def _line(self, sample: Sample) -> str:
        place = (
            f"{sample.method} {sample.endpoint}" if sample.endpoint else "no request"
        )
        if sample.kind == series.REQUEST:
            return (
                f"Slow request: {sample.duration:.3f} s, {place}, {sample.query_count} queries"
                f" in {sample.query_duration:.3f} s, trace {sample.trace_id}"
            )
        code = f" at {sample.code.file}:{sample.code.line}" if sample.code else ""
        text = self._text(sample.fingerprint)
        return (
            f"Slow query: {sample.duration:.3f} s, {place}{code},"
            f" trace {sample.trace_id}: {text}"
        )
