"""What one call of a cache looks up, and what its result says about it."""

from __future__ import annotations

from collections.abc import Sequence, Sized
from contextvars import ContextVar
from time import perf_counter_ns

inside: ContextVar[object] = ContextVar("prs_otel_inside_cache", default=None)
"""The cache whose call is being measured: what that calls of itself is part of it."""


class Default:
    """The default of a `get_or_set`, which is asked for when the key is missed.

    Computing it is the application's own work: it is no part of the call, and what it
    calls of caches is.
    """

    __slots__ = ("_outer", "_value", "has_failed", "is_asked", "took")

    def __init__(self, value: object, outer: object) -> None:
        self._value, self._outer = value, outer
        self.is_asked = self.has_failed = False
        self.took = 0

    def __call__(self) -> object:
        """Return the default, computed if it is a function."""
        self.is_asked = True
        if not callable(self._value):
            return self._value
        token, started = inside.set(self._outer), perf_counter_ns()
        try:
            return self._value()
        except BaseException:
            self.has_failed = True
            raise
        finally:
            self.took = perf_counter_ns() - started
            inside.reset(token)


def hits_and_misses(keys: Sequence[object], found: object) -> tuple[int, int]:
    """Return how many of the keys were found and how many not, each key once."""
    try:
        count = len(set(keys))
    except TypeError:  # whether a key may be unhashable is for the backend to say
        count = len(keys)
    hits = min(len(found), count) if isinstance(found, Sized) else 0
    return hits, count - hits
