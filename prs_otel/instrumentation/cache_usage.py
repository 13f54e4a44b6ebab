"""How much of its memory each cache uses, where its backend tells.

Only a background thread asks. A server is asked over a connection of our own that has a
timeout and is closed again, so that no client of the application's is kept waiting, and
nothing is open when the process forks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from django.core.cache import caches

from prs_otel import guard
from prs_otel.instrumentation.cache_backends import Usage, reader_of
from prs_otel.rollup import labelled
from prs_otel.semconv import (
    PRS_CACHE_EVICTIONS,
    PRS_CACHE_ITEM_COUNT,
    PRS_CACHE_MEMORY_LIMIT,
    PRS_CACHE_MEMORY_USAGE,
)

if TYPE_CHECKING:
    from prs_otel.instrumentation.cache_backends import Reader

SHARED: Final = "shared"
"""The scope of what all processes use: the leader asks for it."""
LOCAL: Final = "local"
"""The scope of what each process has of its own."""

_ALIASES_LIMIT: Final = 20
_ROUND: Final = 2.0
"""Seconds after which a round asks no further cache: by the next, what has failed may wait."""
_PATIENCE: Final = 60.0
"""Seconds in which a server that has failed is left alone."""


@dataclass(frozen=True, slots=True)
class _Source:
    cache: Any
    reader: Reader


@dataclass(slots=True)
class CacheUsage:
    """Ask the configured caches of one process. Belongs to its background thread."""

    clock: Callable[[], float]
    _sources: dict[str, _Source | None] = field(default_factory=dict)
    _not_before: dict[str, float] = field(default_factory=dict)

    def figures(self, *, leads: bool) -> dict[str, float]:
        """Return what each cache uses, by alias and scope; of what is shared if this leads.

        A cache that cannot be asked is left out, and its failure counted.
        """
        started = self.clock()
        found: dict[str, float] = {}
        for alias in caches:
            if self.clock() - started > _ROUND:
                break
            source = self._source(alias)
            if source is not None and (leads or not source.reader.is_shared):
                scope = SHARED if source.reader.is_shared else LOCAL
                found.update(_told(alias, scope, self._ask(alias, source)))
        return found

    def _source(self, alias: str) -> _Source | None:
        if alias not in self._sources:
            self._sources[alias] = None
            if len(self._sources) <= _ALIASES_LIMIT:
                self._sources[alias] = _source_of(alias)
        return self._sources[alias]

    def _ask(self, alias: str, source: _Source) -> Usage | None:
        now = self.clock()
        if now < self._not_before.get(alias, now):
            return None
        try:
            return source.reader.read(source.cache)
        except Exception as error:  # noqa: BLE001 - whatever the server's client raises
            guard.tolerated(f"cache.usage.{alias}", error)
            self._not_before[alias] = now + _PATIENCE
            return None


def _source_of(alias: str) -> _Source | None:
    try:
        # One of our own: the application's belong to its threads.
        cache = caches.create_connection(alias)
    except Exception as error:  # noqa: BLE001 - a backend that cannot be used at all
        guard.tolerated(f"cache.usage.{alias}", error)
        return None
    reader = reader_of(cache)
    return None if reader is None else _Source(cache, reader)


def _told(alias: str, scope: str, usage: Usage | None) -> Iterator[tuple[str, float]]:
    if usage is None:
        return
    told = {
        PRS_CACHE_MEMORY_USAGE: usage.memory,
        PRS_CACHE_MEMORY_LIMIT: usage.memory_limit,
        PRS_CACHE_ITEM_COUNT: usage.items,
        PRS_CACHE_EVICTIONS: usage.evictions,
    }
    for name, value in told.items():
        if value is not None:
            yield labelled.key(name, alias, scope), float(value)
