"""The methods that stand where a cache backend's own were, and measure them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import wraps
from time import perf_counter_ns
from typing import TYPE_CHECKING, Final

from prs_otel import guard
from prs_otel.instrumentation.cache_calls import Default, LookUp, inside
from prs_otel.rollup.cache_call import CacheCall

if TYPE_CHECKING:
    from contextvars import Token

RecordCache = Callable[[tuple[str, str], CacheCall], object]
_Method = Callable[..., object]
_AsyncMethod = Callable[..., Awaitable[object]]

ALIAS: Final = "_prs_otel_alias"
"""The attribute by which a configured cache knows under which alias it is."""

_GET_OR_SET: Final = "get_or_set"
_RAISES_FOR_NO_KEY: Final = frozenset(("incr", "decr", "incr_version", "decr_version"))

record: RecordCache | None = None
_new = tuple.__new__  # a NamedTuple's own constructor costs twice as much


def plain(operation: str, original: _Method) -> _Method:
    """Return a method that counts its calls as `operation`; it looks nothing up."""

    @wraps(original)
    def method(cache: object, *args: object, **kwargs: object) -> object:
        if record is None or inside.get() is cache:
            return original(cache, *args, **kwargs)
        token, started = inside.set(cache), perf_counter_ns()
        try:
            result = original(cache, *args, **kwargs)
        except BaseException as error:
            _failed(cache, operation, token, started, error)
            raise
        duration = perf_counter_ns() - started
        inside.reset(token)
        _count(cache, operation, duration, 0, 0)
        return result

    return method


def aplain(operation: str, original: _AsyncMethod) -> _AsyncMethod:
    """Do the same for a coroutine function."""

    @wraps(original)
    async def method(cache: object, *args: object, **kwargs: object) -> object:
        if record is None or inside.get() is cache:
            return await original(cache, *args, **kwargs)
        token, started = inside.set(cache), perf_counter_ns()
        try:
            result = await original(cache, *args, **kwargs)
        except BaseException as error:
            _failed(cache, operation, token, started, error)
            raise
        duration = perf_counter_ns() - started
        inside.reset(token)
        _count(cache, operation, duration, 0, 0)
        return result

    return method


def looking_up(operation: str, kind: type[LookUp], original: _Method) -> _Method:
    """Return a method that counts its calls, and the keys they look up."""

    @wraps(original)
    def method(cache: object, *args: object, **kwargs: object) -> object:
        if record is None or inside.get() is cache:
            return original(cache, *args, **kwargs)
        call = kind(args, kwargs)
        token, started = inside.set(cache), perf_counter_ns()
        try:
            result = original(cache, *call.args, **call.kwargs)
        except BaseException as error:
            _failed(cache, operation, token, started, error)
            raise
        duration = perf_counter_ns() - started
        inside.reset(token)
        result = call.settle(result)
        _count(cache, operation, duration, call.hits, call.misses)
        return result

    return method


def alooking_up(
    operation: str, kind: type[LookUp], original: _AsyncMethod
) -> _AsyncMethod:
    """Do the same for a coroutine function."""

    @wraps(original)
    async def method(cache: object, *args: object, **kwargs: object) -> object:
        if record is None or inside.get() is cache:
            return await original(cache, *args, **kwargs)
        call = kind(args, kwargs)
        token, started = inside.set(cache), perf_counter_ns()
        try:
            result = await original(cache, *call.args, **call.kwargs)
        except BaseException as error:
            _failed(cache, operation, token, started, error)
            raise
        duration = perf_counter_ns() - started
        inside.reset(token)
        result = call.settle(result)
        _count(cache, operation, duration, call.hits, call.misses)
        return result

    return method


def get_or_set(original: _Method) -> _Method:
    """Return a method that counts as one call, without the time its default takes."""

    @wraps(original)
    def method(
        cache: object, key: object, default: object, *args: object, **kwargs: object
    ) -> object:
        if record is None or inside.get() is cache:
            return original(cache, key, default, *args, **kwargs)
        own = Default(default, inside.get())
        token, started = inside.set(cache), perf_counter_ns()
        try:
            result = original(cache, key, own, *args, **kwargs)
        except BaseException as error:
            _end_get_or_set(cache, token, started, own, error)
            raise
        _end_get_or_set(cache, token, started, own, None)
        return result

    return method


def aget_or_set(original: _AsyncMethod) -> _AsyncMethod:
    """Do the same for a coroutine function."""

    @wraps(original)
    async def method(
        cache: object, key: object, default: object, *args: object, **kwargs: object
    ) -> object:
        if record is None or inside.get() is cache:
            return await original(cache, key, default, *args, **kwargs)
        own = Default(default, inside.get())
        token, started = inside.set(cache), perf_counter_ns()
        try:
            result = await original(cache, key, own, *args, **kwargs)
        except BaseException as error:
            _end_get_or_set(cache, token, started, own, error)
            raise
        _end_get_or_set(cache, token, started, own, None)
        return result

    return method


def _end_get_or_set(
    cache: object,
    token: Token[object],
    started: int,
    own: Default,
    error: BaseException | None,
) -> None:
    if error is not None and not own.has_failed:
        _failed(cache, _GET_OR_SET, token, started + own.took, error)
        return
    duration = perf_counter_ns() - started - own.took
    _leave(token)
    _count(cache, _GET_OR_SET, duration, not own.is_asked, own.is_asked)


def _failed(
    cache: object,
    operation: str,
    token: Token[object],
    started: int,
    error: BaseException,
) -> None:
    duration = perf_counter_ns() - started
    _leave(token)
    is_answer = isinstance(error, ValueError) and operation in _RAISES_FOR_NO_KEY
    # What is not an `Exception` says that nobody waits any longer, not that it failed.
    is_error = isinstance(error, Exception) and not is_answer
    _count(cache, operation, duration, 0, 0, is_error)


def _leave(token: Token[object]) -> None:
    # A coroutine that is thrown away is closed in the context of whoever does that.
    with suppress(ValueError):
        inside.reset(token)


def _count(  # noqa: PLR0913 - what a call was, on a hot path
    cache: object,
    operation: str,
    duration: int,
    hits: int,
    misses: int,
    is_error: bool = False,
) -> None:
    # A cache that nobody has configured has no alias.
    alias = getattr(cache, ALIAS, None)
    if alias is None or record is None:
        return
    try:
        call = _new(CacheCall, (duration, hits, misses, is_error))
        record((alias, operation), call)
    except Exception:  # noqa: BLE001 - the guard logs and counts it
        guard.failed("cache.record")
