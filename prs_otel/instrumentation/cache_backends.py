"""What each backend tells of the memory it uses: Django's own and django-redis."""

# How a backend reaches its server is told by private attributes alone.
# ruff: noqa: SLF001

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

TIMEOUT: Final = 0.5
"""Seconds that a server has to accept a connection, and again to answer."""

_ENTRIES_MEASURED: Final = 2_000


@dataclass(frozen=True, slots=True)
class Usage:
    """What is in a cache; sizes in bytes, evictions since it was started, `None` if unknown."""

    memory: int | None
    memory_limit: int | None = None
    items: int | None = None
    evictions: int | None = None


@dataclass(frozen=True, slots=True)
class Reader:
    """Say how a cache is asked, and whether all processes share it."""

    read: Callable[[Any], Usage | None]
    is_shared: bool = True


def reader_of(cache: object) -> Reader | None:
    """Return how this cache is asked, by the first of its classes that we know; or `None`."""
    for kind in type(cache).__mro__:
        reader = _READERS.get(f"{kind.__module__}.{kind.__qualname__}")
        if reader is not None:
            return reader
    return None


def of_local_memory(cache: Any) -> Usage:  # noqa: ANN401 - a backend's attributes
    """Return the size of the keys and pickled values; of many, by a sample of them."""
    # Copied in one step of the interpreter: to take the cache's lock could hold up a request.
    entries = list(islice(cache._cache.items(), _ENTRIES_MEASURED))
    count = len(cache._cache)
    measured = sum(len(key) + len(value) for key, value in entries)
    # An expired entry may go at any moment, so the sample can be the larger one.
    scale = max(count / len(entries), 1.0) if entries else 0.0
    return Usage(memory=round(measured * scale), items=count)


def of_django_redis(cache: Any) -> Usage | None:  # noqa: ANN401 - as above
    """Ask the server that django-redis writes to."""
    try:
        client = cache.client.get_client(write=True)
    except NotImplementedError:
        return None  # a client that spreads its keys has no such server
    return _of_redis(client)


def of_redis(cache: Any) -> Usage | None:  # noqa: ANN401 - as above
    """Ask the server that Django's backend writes to."""
    return _of_redis(cache._cache.get_client(write=True))


def of_pymemcache(cache: Any) -> Usage:  # noqa: ANN401 - as above
    """Ask each of the servers."""
    from pymemcache.client.base import Client

    tls = {
        key: cache._options[key] for key in ("tls_context",) if key in cache._options
    }
    found = []
    for server in cache.client_servers:
        client = Client(server, connect_timeout=TIMEOUT, timeout=TIMEOUT, **tls)
        try:
            stats = client.stats()
        finally:
            client.close()
        found.append({name.decode(): value for name, value in stats.items()})
    return _of_memcached(found)


def of_pylibmc(cache: Any) -> Usage:  # noqa: ANN401 - as above
    """Ask each of the servers."""
    limits = {
        "_poll_timeout": round(TIMEOUT * 1e3),
        "connect_timeout": round(TIMEOUT * 1e3),
        "send_timeout": round(TIMEOUT * 1e6),
        "receive_timeout": round(TIMEOUT * 1e6),
    }
    options = cache._options
    behaviors = {**options.get("behaviors", {}), **limits}
    client = cache._class(cache.client_servers, **{**options, "behaviors": behaviors})
    try:
        return _of_memcached([stats for _, stats in client.get_stats()])
    finally:
        client.disconnect_all()


def _of_redis(client: Any) -> Usage | None:  # noqa: ANN401 - as above
    import redis
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    pool = client.connection_pool
    kind, arguments = pool.connection_class, pool.connection_kwargs
    if "connection_pool" in arguments:
        return None  # a sentinel has to say first which server it is
    arguments = {
        **arguments,
        "socket_timeout": TIMEOUT,
        "retry": Retry(NoBackoff(), 0),
    }
    if issubclass(kind, redis.Connection):
        arguments["socket_connect_timeout"] = TIMEOUT
    own = redis.ConnectionPool(connection_class=kind, max_connections=1, **arguments)
    try:
        information = redis.Redis(connection_pool=own).info()
    finally:
        own.disconnect()
    keys = information.get(f"db{arguments.get('db') or 0}", {"keys": 0})["keys"]
    return Usage(
        memory=information.get("used_memory"),
        memory_limit=information.get("maxmemory") or None,
        items=keys,
        evictions=information.get("evicted_keys"),
    )


def _of_memcached(servers: list[Any]) -> Usage:
    def total(name: str) -> int:
        return sum(int(stats[name]) for stats in servers)

    return Usage(
        memory=total("bytes"),
        memory_limit=total("limit_maxbytes"),
        items=total("curr_items"),
        evictions=total("evictions"),
    )


_DJANGO: Final = "django.core.cache.backends"
_READERS: Final = {
    f"{_DJANGO}.locmem.LocMemCache": Reader(of_local_memory, is_shared=False),
    f"{_DJANGO}.redis.RedisCache": Reader(of_redis),
    f"{_DJANGO}.memcached.PyMemcacheCache": Reader(of_pymemcache),
    f"{_DJANGO}.memcached.PyLibMCCache": Reader(of_pylibmc),
    "django_redis.cache.RedisCache": Reader(of_django_redis),
}
