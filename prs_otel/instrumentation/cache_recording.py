"""Count what the wrapped methods of caches have measured."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from time import perf_counter_ns
from typing import TYPE_CHECKING, Final

from prs_otel import guard
from prs_otel.instrumentation.cache_calls import Default, inside
from prs_otel.rollup.cache_call import CacheCall

if TYPE_CHECKING:
    from contextvars import Token

RecordCache = Callable[[tuple[str, str], CacheCall], object]

ALIAS: Final = "_prs_otel_alias"
"""The attribute by which a configured cache knows under which alias it is."""
GET: Final = "get"
GET_MANY: Final = "get_many"
GET_OR_SET: Final = "get_or_set"
MISSING: Final = object()
"""The default we look keys up with: it tells a miss from a value like the caller's default."""

_RAISES_FOR_NO_KEY: Final = frozenset(("incr", "decr", "incr_version", "decr_version"))

_record: RecordCache | None = None
_new = tuple.__new__  # a NamedTuple's own constructor costs twice as much


def tell(record: RecordCache | None) -> None:
    """Tell `record` every call from now on, nobody if it is `None`."""
    global _record
    _record = record


def end_get_or_set(
    cache: object,
    token: Token[object],
    started: int,
    own: Default,
    error: BaseException | None,
) -> None:
    """Count a `get_or_set` that ended, by what became of its default."""
    if error is not None and not own.has_failed:
        failed(cache, GET_OR_SET, token, started + own.took, error)
        return
    duration = perf_counter_ns() - started - own.took
    leave(token)
    count(cache, GET_OR_SET, duration, not own.is_asked, own.is_asked)


def failed(
    cache: object,
    operation: str,
    token: Token[object],
    started: int,
    error: BaseException,
) -> None:
    """Count a call that raised `error`."""
    duration = perf_counter_ns() - started
    leave(token)
    is_answer = isinstance(error, ValueError) and operation in _RAISES_FOR_NO_KEY
    # What is not an `Exception` says that nobody waits any longer, not that it failed.
    is_error = isinstance(error, Exception) and not is_answer
    count(cache, operation, duration, 0, 0, is_error)


def leave(token: Token[object]) -> None:
    """Be no longer inside of the call that was entered with `token`."""
    # A coroutine that is thrown away is closed in the context of whoever does that.
    with suppress(ValueError):
        inside.reset(token)


def count(  # noqa: PLR0913 - what a call was, on a hot path
    cache: object,
    operation: str,
    duration: int,
    hits: int,
    misses: int,
    is_error: bool = False,
) -> None:
    """Count a call, unless nobody has configured its cache."""
    alias = getattr(cache, ALIAS, None)
    if alias is None or _record is None:
        return
    try:
        call = _new(CacheCall, (duration, hits, misses, is_error))
        _record((alias, operation), call)
    except Exception:  # noqa: BLE001 - the guard logs and counts it
        guard.failed("cache.record")
