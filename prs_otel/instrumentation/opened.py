"""Count the database connections of this process, without asking the database."""

from __future__ import annotations

import os
import weakref
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from prs_otel.rollup import labelled, series
from prs_otel.semconv import (
    DB_CLIENT_CONNECTION_COUNT,
    DB_CLIENT_CONNECTION_MAX,
    DB_CLIENT_CONNECTION_PENDING_REQUESTS,
    IDLE,
    USED,
)

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper

_ALIASES_LIMIT: Final = 50

# Django has one object per thread and alias; each is known with the process that opened it
# last. Plain dicts, because they are copied in one step while other threads open connections.
_known: dict[int, tuple[weakref.ref[BaseDatabaseWrapper], int]] = {}
_pooling: dict[type[BaseDatabaseWrapper], int] = {}
"""Classes of connections that keep pools, which outlive the objects that use them."""


@dataclass(frozen=True, slots=True)
class Connections:
    """Count the open connections of one alias, by whether somebody has them.

    Without a pool each belongs to a thread, and nobody else may use it: none is idle.
    `waiting` threads want one of a pool that may open `limit`.
    """

    used: int = 0
    idle: int = 0
    waiting: int | None = None
    limit: int | None = None

    def and_of(self, other: Connections) -> Connections:
        """Return both taken together."""
        return Connections(
            self.used + other.used,
            self.idle + other.idle,
            _sum(self.waiting, other.waiting),
            _sum(self.limit, other.limit),
        )


def note(connection: BaseDatabaseWrapper) -> None:
    """Take a connection, just opened, into the count for as long as it lives."""
    key, pid = id(connection), os.getpid()
    reference = weakref.ref(connection, lambda _: _known.pop(key, None))
    _known[key] = reference, pid
    if hasattr(connection, "_connection_pools"):
        _pooling[type(connection)] = pid


def known() -> list[BaseDatabaseWrapper]:
    """Return the connection objects that have been opened and still exist."""
    found = (reference() for reference, _ in _known.copy().values())
    return [connection for connection in found if connection is not None]


def connections() -> dict[str, Connections]:
    """Return what this process has open, by alias, in all threads.

    What a parent process had opened before it forked is the parent's.
    """
    counts = dict(_pooled())
    pooled = frozenset(counts)
    for connection in _own():
        alias = connection.alias
        if alias not in pooled and connection.connection is not None:
            counts[alias] = counts.get(alias, Connections()).and_of(Connections(1))
    return counts


def open_connections() -> dict[str, int]:
    """Return how many connections this process has open, by alias, in all threads.

    Of a pool all its connections count, also those that wait.
    """
    return {alias: each.used + each.idle for alias, each in connections().items()}


def figures() -> dict[str, float]:
    """Return the connections as figures by alias and state, of a bounded number of aliases."""
    found: dict[str, float] = {}
    for alias, each in _bounded(connections()).items():
        found[labelled.key(DB_CLIENT_CONNECTION_COUNT, alias, USED)] = each.used
        found[labelled.key(DB_CLIENT_CONNECTION_COUNT, alias, IDLE)] = each.idle
        if each.waiting is not None:
            name = DB_CLIENT_CONNECTION_PENDING_REQUESTS
            found[labelled.key(name, alias)] = each.waiting
        if each.limit is not None:
            found[labelled.key(DB_CLIENT_CONNECTION_MAX, alias)] = each.limit
    return found


def _own() -> Iterator[BaseDatabaseWrapper]:
    pid = os.getpid()
    for reference, opener in _known.copy().values():
        connection = reference()
        if connection is not None and opener == pid:
            yield connection


def _pooled() -> Iterator[tuple[str, Connections]]:
    pid = os.getpid()
    for kind, opener in _pooling.copy().items():
        # Not `connection.pool`: reading that property opens a pool.
        pools = dict(kind._connection_pools) if opener == pid else {}  # type: ignore[attr-defined] # noqa: SLF001
        for key, pool in pools.items():
            # Oracle's is known by alias and user.
            yield key if isinstance(key, str) else key[0], _of_pool(pool)


def _of_pool(pool: Any) -> Connections:  # noqa: ANN401 - psycopg's or Oracle's
    if not hasattr(pool, "get_stats"):
        return Connections(pool.busy, pool.opened - pool.busy, limit=pool.max)
    stats = pool.get_stats()
    size, idle = stats["pool_size"], stats["pool_available"]
    return Connections(
        used=max(size - idle, 0),
        idle=idle,
        waiting=stats["requests_waiting"],
        limit=stats["pool_max"],
    )


def _bounded(found: Mapping[str, Connections]) -> dict[str, Connections]:
    largest = sorted(found, key=lambda alias: -(found[alias].used + found[alias].idle))
    bounded: dict[str, Connections] = {}
    for position, alias in enumerate(largest):
        place = alias if position < _ALIASES_LIMIT else series.OTHER
        bounded[place] = bounded.get(place, Connections()).and_of(found[alias])
    return bounded


def _sum(one: int | None, other: int | None) -> int | None:
    return None if one is None and other is None else (one or 0) + (other or 0)
