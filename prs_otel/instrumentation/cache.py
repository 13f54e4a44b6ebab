"""Count the hits and misses of Django's caches without replacing any backend.

The methods of each configured backend's class are wrapped where they are, so the class
stays what it is. Backends call their own methods (`get_many` calls `get`, `aget` calls
`get` in a thread): only the outermost call counts.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextvars import ContextVar, Token
from functools import partial, wraps
from time import perf_counter_ns
from typing import TYPE_CHECKING, Final

from django.core.cache import CacheHandler, caches

from prs_otel import guard
from prs_otel.instrumentation.cache_calls import Call, Get, GetMany, Lookup, settling

if TYPE_CHECKING:
    from django.core.cache.backends.base import BaseCache

RecordCache = Callable[[str, int, int, int], object]
_Method = Callable[..., object]
_AsyncMethod = Callable[..., Awaitable[object]]

_CALLS: Final[dict[str, type[Call]]] = {
    "get": Get,
    "get_many": GetMany,
    **dict.fromkeys(("add", "set", "touch", "delete", "incr", "decr"), Call),
    **dict.fromkeys(("has_key", "set_many", "delete_many", "clear"), Call),
}
_ALIAS: Final = "_prs_otel_alias"

_inside: ContextVar[bool] = ContextVar("prs_otel_inside_cache", default=False)
_record: RecordCache | None = None
_create: Callable[[CacheHandler, str], BaseCache] | None = None
_originals: dict[type, dict[str, object]] = {}


def install(*, record_cache: RecordCache) -> None:
    """Tell `record_cache(alias, hits, misses, ns)` every call of a configured cache.

    Hits and misses are keys looked up; a write has neither. Calling again replaces
    the argument.
    """
    global _record, _create
    _record = record_cache
    if _create is not None:
        return
    create = _create = CacheHandler.create_connection

    @wraps(create)
    def create_connection(handler: CacheHandler, alias: str) -> BaseCache:
        cache = create(handler, alias)
        with guard.guarded("cache.instrument"):
            _instrument(cache, alias)
        return cache

    CacheHandler.create_connection = create_connection  # type: ignore[assignment,method-assign]
    _instrument_existing()


def uninstall() -> None:
    """Leave every backend as it was."""
    global _record, _create
    if _create is not None:
        CacheHandler.create_connection = _create  # type: ignore[assignment,method-assign]
    _record = _create = None
    for kind, own in _originals.items():
        for name in own:
            if own[name] is None:
                delattr(kind, name)
            else:
                setattr(kind, name, own[name])
    _originals.clear()


def _instrument_existing() -> None:
    for alias in caches:
        # `caches[alias]` would create what is not there yet.
        cache = getattr(caches._connections, alias, None)  # type: ignore[attr-defined] # noqa: SLF001
        if cache is not None:
            _instrument(cache, alias)


def _instrument(cache: object, alias: str) -> None:
    setattr(cache, _ALIAS, alias)
    kind = type(cache)
    if kind in _originals:
        return
    replacements = {"get_or_set": _get_or_set, "aget_or_set": _aget_or_set}
    for name, call in _CALLS.items():
        replacements[name] = partial(_measured, call)
        replacements[f"a{name}"] = partial(_ameasured, call)
    _originals[kind] = {name: vars(kind).get(name) for name in replacements}
    for name, wrap in replacements.items():
        setattr(kind, name, wrap(getattr(kind, name)))


def _measured(kind: type[Call], original: _Method) -> _Method:
    @wraps(original)
    def measured(cache: object, *args: object, **kwargs: object) -> object:
        alias = _measured_alias(cache)
        if alias is None:
            return original(cache, *args, **kwargs)
        call, token, started = (
            kind(cache, args, kwargs),
            _inside.set(True),
            perf_counter_ns(),
        )
        try:
            return call.settle(original(cache, *call.args, **call.kwargs))
        finally:
            _end(alias, call, token, started)

    return measured


def _ameasured(kind: type[Call], original: _AsyncMethod) -> _AsyncMethod:
    @wraps(original)
    async def measured(cache: object, *args: object, **kwargs: object) -> object:
        alias = _measured_alias(cache)
        if alias is None:
            return await original(cache, *args, **kwargs)
        call, token, started = (
            kind(cache, args, kwargs),
            _inside.set(True),
            perf_counter_ns(),
        )
        try:
            return call.settle(await original(cache, *call.args, **call.kwargs))
        finally:
            _end(alias, call, token, started)

    return measured


def _get_or_set(original: _Method) -> _Method:
    @wraps(original)
    def get_or_set(
        cache: object, key: object, *args: object, **kwargs: object
    ) -> object:
        token = settling.set(Lookup(cache, key))
        try:
            return original(cache, key, *args, **kwargs)
        finally:
            settling.reset(token)

    return get_or_set


def _aget_or_set(original: _AsyncMethod) -> _AsyncMethod:
    @wraps(original)
    async def get_or_set(
        cache: object, key: object, *args: object, **kwargs: object
    ) -> object:
        token = settling.set(Lookup(cache, key))
        try:
            return await original(cache, key, *args, **kwargs)
        finally:
            settling.reset(token)

    return get_or_set


def _measured_alias(cache: object) -> str | None:
    """Return the alias to count for, `None` within another call or for a cache of nobody."""
    if _record is None or _inside.get():
        return None
    alias: str | None = getattr(cache, _ALIAS, None)
    return alias


def _end(alias: str, call: Call, token: Token[bool], started: int) -> None:
    duration = perf_counter_ns() - started
    _inside.reset(token)
    try:
        if _record is not None:
            _record(alias, call.hits, call.misses, duration)
    except Exception:  # noqa: BLE001 - the guard logs and counts it
        guard.failed("cache.record")
