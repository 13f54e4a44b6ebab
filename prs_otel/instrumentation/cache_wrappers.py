"""The methods that stand where a cache backend's own were, and measure them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
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

_Method = Callable[..., object]


def plain(operation: str, original: _Method) -> _Method:
    """Return a method that counts its calls as `operation`; it looks nothing up."""

    @wraps(original)
    def method(cache: object, *args: object, **kwargs: object) -> object:
        if inside.get() is cache:
            return original(cache, *args, **kwargs)
        token, started = inside.set(cache), perf_counter_ns()
        try:
            result = original(cache, *args, **kwargs)
        except BaseException as error:
            failed(cache, operation, token, started, error)
            raise
        duration = perf_counter_ns() - started
        inside.reset(token)
        count(cache, operation, duration, 0, 0)
        return result

    return method


def get(original: _Method) -> _Method:
    """Return a `get` that counts its calls, and whether they found their key."""

    @wraps(original)
    def method(
        cache: object,
        key: object,
        default: object = None,
        *args: object,
        **kwargs: object,
    ) -> object:
        if inside.get() is cache:
            return original(cache, key, default, *args, **kwargs)
        token, started = inside.set(cache), perf_counter_ns()
        try:
            found = original(cache, key, MISSING, *args, **kwargs)
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
    """Return a `get_many` that counts its calls, and how many keys they found."""

    @wraps(original)
    def method(
        cache: object, keys: Iterable[object], *args: object, **kwargs: object
    ) -> object:
        if inside.get() is cache:
            return original(cache, keys, *args, **kwargs)
        # The keys may be an iterator, which can be read only once.
        keys = list(keys)
        token, started = inside.set(cache), perf_counter_ns()
        try:
            found = original(cache, keys, *args, **kwargs)
        except BaseException as error:
            failed(cache, GET_MANY, token, started, error)
            raise
        duration = perf_counter_ns() - started
        inside.reset(token)
        count(cache, GET_MANY, duration, *hits_and_misses(keys, found))
        return found

    return method


def get_or_set(original: _Method) -> _Method:
    """Return a method that counts as one call, without the time its default takes."""

    @wraps(original)
    def method(
        cache: object, key: object, default: object, *args: object, **kwargs: object
    ) -> object:
        if inside.get() is cache:
            return original(cache, key, default, *args, **kwargs)
        own = Default(default, inside.get())
        token, started = inside.set(cache), perf_counter_ns()
        try:
            result = original(cache, key, own, *args, **kwargs)
        except BaseException as error:
            end_get_or_set(cache, token, started, own, error)
            raise
        end_get_or_set(cache, token, started, own, None)
        return result

    return method
