"""Measure the calls of Django's caches without replacing any backend.

The methods of each configured backend's class are wrapped where they are, so the class
stays what it is. Backends call their own methods (`get_many` calls `get`, `aget` calls
`get` in a thread): only the outermost call of a cache counts.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial, wraps
from typing import TYPE_CHECKING, Any, Final

from django.core.cache import CacheHandler, caches

from prs_otel import guard
from prs_otel.instrumentation import cache_awaited as awaited
from prs_otel.instrumentation import cache_recording as recording
from prs_otel.instrumentation import cache_wrappers as wrappers

if TYPE_CHECKING:
    from django.core.cache.backends.base import BaseCache

    from prs_otel.instrumentation.cache_recording import RecordCache

_PLAIN: Final = (
    *("add", "set", "touch", "delete", "has_key", "clear", "set_many", "delete_many"),
    *("incr", "decr", "incr_version", "decr_version"),
    # What django-redis has beyond Django's interface, and searches a whole server for.
    *("delete_pattern", "keys"),
)

_create: Callable[[CacheHandler, str], BaseCache] | None = None
_originals: dict[type, dict[str, object]] = {}


def install(*, record: RecordCache) -> None:
    """Tell `record((alias, operation), call)` every call of a configured cache.

    An operation has the name of Django's synchronous method. Calling again replaces the
    argument.
    """
    global _create
    recording.tell(record)
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
    global _create
    recording.tell(None)
    if _create is not None:
        CacheHandler.create_connection = _create  # type: ignore[assignment,method-assign]
    _create = None
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
    setattr(cache, recording.ALIAS, alias)
    kind = type(cache)
    own: dict[str, object] = {}
    # Of two threads that come here at once, one wraps.
    if _originals.setdefault(kind, own) is not own:
        return
    for name, wrap in _makers().items():
        original = getattr(kind, name, None)
        if original is not None:
            own[name] = vars(kind).get(name)
            setattr(kind, name, wrap(original))


def _makers() -> dict[str, Callable[[Any], object]]:
    makers: dict[str, Callable[[Any], object]] = {
        "get": wrappers.get,
        "aget": awaited.get,
        "get_many": wrappers.get_many,
        "aget_many": awaited.get_many,
        "get_or_set": wrappers.get_or_set,
        "aget_or_set": awaited.get_or_set,
    }
    for name in _PLAIN:
        makers[name] = partial(wrappers.plain, name)
        makers[f"a{name}"] = partial(awaited.plain, name)
    return makers
