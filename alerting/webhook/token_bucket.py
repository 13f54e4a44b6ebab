"""How many requests of a second are listened to."""

from __future__ import annotations

import math
import threading

__all__ = ["TokenBucket"]


class TokenBucket:
    """Lets `burst` requests through at once, and `rate` a second in the long run.

    Safe to use from several threads; takes the memory of three numbers.
    """

    def __init__(self, *, rate: float, burst: int) -> None:
        self._rate = rate
        self._burst = burst
        self._tokens = float(burst)
        self._at = 0.0
        self._lock = threading.Lock()

    def take(self, *, now: float) -> int:
        """Return 0 to let a request through, or the seconds after which to come again."""
        with self._lock:
            # A clock that was set back gives nothing, and takes nothing.
            gained = max(0.0, now - self._at) * self._rate
            self._tokens = min(float(self._burst), self._tokens + gained)
            self._at = now
            if self._tokens >= 1.0:
                self._tokens -= 1.0
                return 0
            return max(1, math.ceil((1.0 - self._tokens) / self._rate))
