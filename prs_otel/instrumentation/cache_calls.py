"""What one call of a cache looks up, and what its result says about it."""

from __future__ import annotations

from collections.abc import Sized
from contextvars import ContextVar
from time import perf_counter_ns
from typing import Any, Final

_MISSING: Final = object()

inside: ContextVar[object] = ContextVar("prs_otel_inside_cache", default=None)
"""The cache whose call is being measured: what that calls of itself is part of it."""


class LookUp:
    """A call that looks up keys: what it is made with, and what it found.

    It may be given another argument than the caller's, and has another result then.
    """

    __slots__ = ("args", "hits", "kwargs", "misses")

    def __init__(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self.args, self.kwargs = args, kwargs
        self.hits = self.misses = 0

    def settle(self, result: object) -> object:
        """Read hits and misses off the backend's result; return the caller's."""
        raise NotImplementedError


class Get(LookUp):
    """`get(key, default=None, version=None)`."""

    __slots__ = ("_default",)

    def __init__(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self.hits = self.misses = 0
        # A default of our own tells a miss from a value that equals the caller's.
        if len(args) == 1 and not kwargs:
            self._default = None
            self.args, self.kwargs = (args[0], _MISSING), kwargs
        elif len(args) > 1:
            self._default = args[1]
            self.args, self.kwargs = (args[0], _MISSING, *args[2:]), kwargs
        else:
            self._default = kwargs.get("default")
            self.args, self.kwargs = args, {**kwargs, "default": _MISSING}

    def settle(self, result: object) -> object:
        """Count a hit, or a miss when the backend returned our default."""
        if result is _MISSING:
            self.misses = 1
            return self._default
        self.hits = 1
        return result


class GetMany(LookUp):
    """`get_many(keys, version=None)`."""

    __slots__ = ("_count",)

    def __init__(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self.args, self.kwargs = args, kwargs
        self.hits = self.misses = self._count = 0
        # The keys may be an iterator, which can be read only once.
        if args:
            keys = list(args[0])
            self.args = (keys, *args[1:])
        elif "keys" in kwargs:
            keys = list(kwargs["keys"])
            self.kwargs = {**kwargs, "keys": keys}
        else:
            return
        self._count = _distinct(keys)

    def settle(self, result: object) -> object:
        """Count each key that was found, and each that was not."""
        found = len(result) if isinstance(result, Sized) else 0
        self.hits = min(found, self._count)
        self.misses = self._count - self.hits
        return result


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


def _distinct(keys: list[Any]) -> int:
    try:
        return len(set(keys))
    except TypeError:  # whether a key may be unhashable is for the backend to say
        return len(keys)
