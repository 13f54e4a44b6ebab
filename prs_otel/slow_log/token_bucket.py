"""Let through a burst, then so many a second."""

from __future__ import annotations


class TokenBucket:
    """Hold up to `capacity` tokens, refilled by `per_second`. Not thread-safe.

    Over any `t` seconds at most `capacity + per_second * t` are taken. A clock that was set
    back refills nothing until it runs again.
    """

    __slots__ = ("_at", "_capacity", "_per_second", "_tokens")

    def __init__(self, capacity: int, per_second: float) -> None:
        self._capacity, self._per_second = capacity, per_second
        self._tokens = float(capacity)
        self._at: float | None = None

    def take(self, now: float) -> bool:
        """Take a token at `now`, in seconds; tell whether there was one."""
        elapsed = 0.0 if self._at is None else max(0.0, now - self._at)
        self._at = now
        refilled = self._tokens + elapsed * self._per_second
        self._tokens = min(refilled, float(self._capacity))
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True
