"""Count the database connections of this process, without asking the database."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper

# Django has one object per thread and alias. A plain dict, because it is copied in one
# step while other threads open connections; a WeakSet is not.
_known: dict[int, weakref.ref[BaseDatabaseWrapper]] = {}


def note(connection: BaseDatabaseWrapper) -> None:
    """Take a connection, just opened, into the count for as long as it lives."""
    key = id(connection)
    _known[key] = weakref.ref(connection, lambda _: _known.pop(key, None))


def known() -> list[BaseDatabaseWrapper]:
    """Return the connection objects that have been opened and still exist."""
    found = (reference() for reference in _known.copy().values())
    return [connection for connection in found if connection is not None]


def open_connections() -> dict[str, int]:
    """Return how many connections this process has open, by alias, in all threads.

    Of a pool all its connections count, also those that wait.
    """
    counts: dict[str, int] = {}
    for connection in known():
        alias = connection.alias
        pooled = _pooled(connection)
        if pooled is not None:
            counts[alias] = pooled
        elif connection.connection is not None:
            counts[alias] = counts.get(alias, 0) + 1
    return counts


def _pooled(connection: BaseDatabaseWrapper) -> int | None:
    # Not `connection.pool`: reading that property opens a pool.
    pools = getattr(connection, "_connection_pools", {})
    pool = pools.get(connection.alias)
    return None if pool is None else int(pool.get_stats().get("pool_size", 0))
