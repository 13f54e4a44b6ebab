"""Tell when something that recurs is due again."""

from __future__ import annotations


class Every:
    """Be due at first and then whenever ``interval`` seconds have passed.

    A clock that was set back makes it due at once rather than never.
    """

    __slots__ = ("_last", "interval")

    def __init__(self, interval: float) -> None:
        self.interval = interval
        self._last: float | None = None

    def is_due(self, now: float) -> bool:
        """Tell whether it is due, and if so, count the next interval from ``now``."""
        if self._last is not None and 0 <= now - self._last < self.interval:
            return False
        self._last = now
        return True

    def remaining(self, now: float) -> float:
        """Return the seconds until it is due again."""
        if self._last is None:
            return 0.0
        return min(max(self._last + self.interval - now, 0.0), self.interval)
