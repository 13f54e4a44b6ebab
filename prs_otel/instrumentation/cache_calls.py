"""What one call of a cache looks up, and what its result says about it."""

from __future__ import annotations

from collections.abc import Sized
from contextvars import ContextVar
from typing import Any, Final

_MISSING: Final = object()


class Lookup:
    """The key that a `get_or_set` looks for: its first look counts, later ones do not."""

    __slots__ = ("cache", "is_counted", "key")

    def __init__(self, cache: object, key: object) -> None:
        self.cache = cache
        self.key = key
        self.is_counted = False


settling: ContextVar[Lookup | None] = ContextVar("prs_otel_get_or_set", default=None)


class Call:
    """A call that looks nothing up."""

    __slots__ = ("args", "hits", "kwargs", "misses")

    def __init__(
        self, cache: object, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> None:
        self.args, self.kwargs = args, kwargs
        self.hits = self.misses = 0

    def settle(self, result: object) -> object:
        """Read hits and misses off the backend's result; return the caller's."""
        return result


class Get(Call):
    """`get(key, default=None, version=None)`."""

    __slots__ = ("_counts", "_default")

    def __init__(
        self, cache: object, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> None:
        super().__init__(cache, args, kwargs)
        # A default of our own tells a miss from a value that equals the caller's.
        if len(args) > 1:
            self._default = args[1]
            self.args = (args[0], _MISSING, *args[2:])
        else:
            self._default = kwargs.get("default")
            self.kwargs = {**kwargs, "default": _MISSING}
        self._counts = _is_first_look(cache, args[0] if args else kwargs.get("key"))

    def settle(self, result: object) -> object:
        """Count a hit, or a miss when the backend returned our default."""
        is_miss = result is _MISSING
        if self._counts:
            self.hits, self.misses = not is_miss, is_miss
        return self._default if is_miss else result


class GetMany(Call):
    """`get_many(keys, version=None)`."""

    __slots__ = ("_count",)

    def __init__(
        self, cache: object, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> None:
        super().__init__(cache, args, kwargs)
        # The keys may be an iterator, which can be read only once.
        keys = list(args[0] if args else kwargs["keys"])
        self._count = len(set(keys))
        if args:
            self.args = (keys, *args[1:])
        else:
            self.kwargs = {**kwargs, "keys": keys}

    def settle(self, result: object) -> object:
        """Count each key that was found, and each that was not."""
        found = len(result) if isinstance(result, Sized) else 0
        self.hits = min(found, self._count)
        self.misses = self._count - self.hits
        return result


def _is_first_look(cache: object, key: object) -> bool:
    lookup = settling.get()
    if lookup is None or lookup.cache is not cache or lookup.key != key:
        return True
    was_counted, lookup.is_counted = lookup.is_counted, True
    return not was_counted
