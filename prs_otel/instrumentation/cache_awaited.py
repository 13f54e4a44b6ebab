"""The coroutine functions that stand where a cache backend's own were, and measure them.

They do as the methods of `cache_wrappers` do.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from functools import wraps
from time import perf_counter_ns

from prs_otel.instrumentation.cache_calls import Default, hits_and_misses, inside
from prs_otel.instrumentation.cache_recording import (
    GET,
    GET_MANY,
    MISSING,
    count,
    end_get_or_set,
    failed,
)

_Method = Callable[..., Awaitable[object]]


def plain(operation: str, original: _Method) -> _Method:
    """Return a coroutine function that counts its calls as `operation`."""

    @wraps(original)
    async def method(cache: object, *args: object, **kwargs: object) -> object:
        if inside.get() is cache:
            return await original(cache, *args, **kwargs)
        token, started = inside.set(cache), perf_counter_ns()
        try:
            result = await original(cache, *args, **kwargs)
        except BaseException as error:
            failed(cache, operation, token, started, error)
            raise
        duration = perf_counter_ns() - started
        inside.reset(token)
        count(cache, operation, duration, 0, 0)
        return result

    return method


def get(original: _Method) -> _Method:
    """Return an `aget` that counts its calls, and whether they found their key."""

    @wraps(original)
    async def method(
        cache: object,
        key: object,
        default: object = None,
        *args: object,
        **kwargs: object,
    ) -> object:
        if inside.get() is cache:
            return await original(cache, key, default, *args, **kwargs)
        token, started = inside.set(cache), perf_counter_ns()
        try:
            found = await original(cache, key, MISSING, *args, **kwargs)
        except BaseException as error:
            failed(cache, GET, token, started, error)
            raise
        duration = perf_counter_ns() - started
        inside.reset(token)
        is_miss = found is MISSING
        count(cache, GET, duration, not is_miss, is_miss)
        return default if is_miss else found

    return method


def get_many(original: _Method) -> _Method:
    """Return an `aget_many` that counts its calls, and how many keys they found."""

    @wraps(original)
    async def method(
        cache: object, keys: Iterable[object], *args: object, **kwargs: object
    ) -> object:
        if inside.get() is cache:
            return await original(cache, keys, *args, **kwargs)
        # The keys may be an iterator, which can be read only once.
        keys = list(keys)
        token, started = inside.set(cache), perf_counter_ns()
        try:
            found = await original(cache, keys, *args, **kwargs)
        except BaseException as error:
            failed(cache, GET_MANY, token, started, error)
            raise
        duration = perf_counter_ns() - started
        inside.reset(token)
        count(cache, GET_MANY, duration, *hits_and_misses(keys, found))
        return found

    return method


def get_or_set(original: _Method) -> _Method:
    """Return an `aget_or_set` that counts as one call, without what its default takes."""

    @wraps(original)
    async def method(
        cache: object, key: object, default: object, *args: object, **kwargs: object
    ) -> object:
        if inside.get() is cache:
            return await original(cache, key, default, *args, **kwargs)
        own = Default(default, inside.get())
        token, started = inside.set(cache), perf_counter_ns()
        try:
            result = await original(cache, key, own, *args, **kwargs)
        except BaseException as error:
            end_get_or_set(cache, token, started, own, error)
            raise
        end_get_or_set(cache, token, started, own, None)
        return result

    return method
