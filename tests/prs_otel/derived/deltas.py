from __future__ import annotations

import threading

from prs_otel.rollup.delta import Delta
from prs_otel.rollup.recorder import Rollup

NOW = 1_700_000_000.0


class Counting:
    """Record in one process's rollup, and seal it."""

    def __init__(self) -> None:
        self.rollup = Rollup(series_limit=50, new_lock=threading.Lock, now=NOW - 5)

    def seal(self, *, now: float = NOW) -> Delta:
        """Return what was recorded since the last time."""
        delta = self.rollup.seal(now)
        assert delta is not None
        return delta
