"""Caches on real servers: what is done with them, and what they say of themselves."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import caches
from django.core.cache.backends.base import BaseCache

from prs_otel import guard
from prs_otel.instrumentation import cache as instrumentation
from prs_otel.instrumentation.cache_usage import CacheUsage
from prs_otel.rollup import labelled
from prs_otel.rollup.cache_call import CacheCall
from tests.support.cache_servers import CacheServer, memcached, redis
from tests.support.monitored import quick, system_metrics
from tests.support.programs import python_package
from tests.support.servers import free_port, gunicorn, serving
from tests.support.sites import Site
from tests.support.wait import wait_until

DJANGO = "django.core.cache.backends"
REDIS = f"{DJANGO}.redis.RedisCache"
DJANGO_REDIS = "django_redis.cache.RedisCache"
PYMEMCACHE = f"{DJANGO}.memcached.PyMemcacheCache"
PYLIBMC = f"{DJANGO}.memcached.PyLibMCCache"
PACKAGES = {
    REDIS: "redis",
    DJANGO_REDIS: "django_redis",
    PYMEMCACHE: "pymemcache",
    PYLIBMC: "pylibmc",
}

OPERATIONS: dict[str, tuple[Callable[[BaseCache], Any], int, int]] = {
    "add": (lambda c: c.add("new", 1), 0, 0),
    "decr": (lambda c: c.decr("number"), 0, 0),
    "delete": (lambda c: c.delete("here"), 0, 0),
    "delete_many": (lambda c: c.delete_many(["here", "number"]), 0, 0),
    "get": (lambda c: c.get("here"), 1, 0),
    "get_many": (lambda c: c.get_many(["here", "number", "nowhere"]), 2, 1),
    "get_or_set": (lambda c: c.get_or_set("nowhere", lambda: 1), 0, 1),
    "has_key": (lambda c: c.has_key("here"), 0, 0),
    "incr": (lambda c: c.incr("number", 3), 0, 0),
    "incr_version": (lambda c: c.incr_version("here"), 0, 0),
    "set": (lambda c: c.set("here", 1), 0, 0),
    "set_many": (lambda c: c.set_many({"a": 1, "b": 2}), 0, 0),
    "touch": (lambda c: c.touch("here", 60), 0, 0),
    "clear": (lambda c: c.clear(), 0, 0),
}


@dataclass
class Calls:
    """What was told of the calls made."""

    told: list[tuple[tuple[str, str], CacheCall]] = field(default_factory=list)

    def record(self, labels: tuple[str, str], call: CacheCall) -> None:
        self.told.append((labels, call))


@pytest.fixture(scope="module")
def servers(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[dict[str, CacheServer]]:
    directory = tmp_path_factory.mktemp("caches")
    with redis(directory) as of_redis, memcached(directory) as of_memcached:
        yield {
            REDIS: of_redis,
            DJANGO_REDIS: of_redis,
            PYMEMCACHE: of_memcached,
            PYLIBMC: of_memcached,
        }


@pytest.fixture
def calls() -> Iterator[Calls]:
    found = Calls()
    instrumentation.install(record=found.record)
    yield found
    instrumentation.uninstall()


@pytest.fixture(params=list(PACKAGES), ids=list(PACKAGES.values()))
def backend(request: pytest.FixtureRequest) -> str:
    found: str = request.param
    python_package(PACKAGES[found])
    return found


@pytest.fixture
def configured(backend: str, servers: dict[str, CacheServer], settings: Any) -> None:
    settings.CACHES = {"default": entry(backend, servers[backend].address)}


def entry(backend: str, address: str) -> dict[str, str]:
    scheme = "redis://" if "redis" in backend else ""
    return {"BACKEND": backend, "LOCATION": scheme + address}


@pytest.fixture
def cache(configured: None, calls: Calls) -> Iterator[BaseCache]:
    found: BaseCache = caches["default"]
    found.clear()
    found.set_many({"here": "value", "number": 5})
    calls.told.clear()
    yield found
    found.close()


@contextmanager
def unreachable(settings: Any, backend: str) -> Iterator[BaseCache]:
    settings.CACHES = {"default": entry(backend, f"127.0.0.1:{free_port()}")}
    found: BaseCache = caches["default"]
    yield found
    found.close()


@pytest.fixture
def deaf() -> Iterator[str]:
    """Yield an address that accepts connections and never says anything."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield f"127.0.0.1:{listening.getsockname()[1]}"


@pytest.mark.parametrize("operation", OPERATIONS)
def test_an_operation_counts_once_with_the_keys_it_looked_up(
    cache: BaseCache, calls: Calls, operation: str
) -> None:
    call, hits, misses = OPERATIONS[operation]
    call(cache)

    ((labels, told),) = calls.told
    assert labels == ("default", operation)
    assert (told.hits, told.misses, told.is_error) == (hits, misses, False)
    assert told.duration > 0


def test_awaited_look_ups_count_as_the_others_do(
    cache: BaseCache, calls: Calls
) -> None:
    async def look_up() -> Any:
        await cache.aget_many(["here", "nowhere"])
        await cache.aincr("number")
        return await cache.aget("here")

    assert asyncio.run(look_up()) == "value"
    assert [labels[1] for labels, _ in calls.told] == ["get_many", "incr", "get"]
    assert sum(told.hits for _, told in calls.told) == 2
    assert sum(told.misses for _, told in calls.told) == 1


def test_a_call_to_a_server_that_is_down_is_an_error(
    backend: str, calls: Calls, settings: Any
) -> None:
    with (
        unreachable(settings, backend) as cache,
        pytest.raises(Exception, match=r"(?i)connect|refused|failure|disabled"),
    ):
        cache.get("key")

    ((_, told),) = calls.told
    assert (told.is_error, told.hits, told.misses) == (True, 0, 0)


def test_a_server_says_how_much_of_its_memory_is_used(
    backend: str, calls: Calls, settings: Any, tmp_path: Path
) -> None:
    serve = redis if "redis" in backend else memcached
    # One of its own: a memcached that was cleared counts the old items until it finds them.
    with serve(tmp_path) as server:
        settings.CACHES = {"default": entry(backend, server.address)}
        cache = caches["default"]
        cache.set("small", "x")
        usage = CacheUsage(time.monotonic)
        before = figures(usage)
        cache.set("large", "x" * 500_000)
        after = figures(usage)
        cache.close()

    assert after["memory.usage"] > before["memory.usage"] + 400_000
    assert after["item.count"] == before["item.count"] + 1
    assert after["memory.limit"] > 10_000_000
    assert after["evictions"] >= 0
    assert guard.report() == {}


def test_a_redis_on_a_socket_tells_too(tmp_path: Path, settings: Any) -> None:
    with redis(tmp_path):
        location = f"unix://{tmp_path}/redis.sock?db=3"
        settings.CACHES = {"default": {"BACKEND": REDIS, "LOCATION": location}}
        caches["default"].set_many({"a": 1, "b": 2})

        assert figures(CacheUsage(time.monotonic))["item.count"] == 2
        caches["default"].close()


def test_a_server_that_is_down_costs_the_background_thread_a_moment(
    backend: str, settings: Any
) -> None:
    with unreachable(settings, backend):
        usage = CacheUsage(time.monotonic)
        assert usage.figures(leads=True) == {}
        assert usage.figures(leads=True) == {}

    assert guard.report() == {"cache.usage.default": 1}


def test_a_server_that_does_not_answer_is_given_up(
    backend: str, settings: Any, deaf: str
) -> None:
    settings.CACHES = {"default": entry(backend, deaf)}
    began = time.monotonic()

    assert CacheUsage(time.monotonic).figures(leads=True) == {}
    assert time.monotonic() - began < 5
    assert guard.report() == {"cache.usage.default": 1}


def figures(usage: CacheUsage) -> dict[str, float]:
    told = usage.figures(leads=True)
    return {
        name: labelled.parts(told, f"prs.cache.{name}")["default", "shared"]
        for name in ("memory.usage", "memory.limit", "item.count", "evictions")
    }


def test_the_caches_of_all_workers_are_shown_together(
    site: Site, tmp_path: Path
) -> None:
    with redis(tmp_path) as server:
        local = {"BACKEND": f"{DJANGO}.locmem.LocMemCache"}
        site = quick(site).with_settings(
            CACHES={"default": entry(REDIS, server.address), "local": local}
        )
        with serving(site, gunicorn(workers=2)) as served:
            paths = ["/cached/"] * 20 + ["/cached/?miss=1"] * 10
            assert set(served.client.get_all(paths).values()) == {20, 10}

            def complete() -> dict[str, Any]:
                found = {each["alias"]: each for each in system_metrics(site)["caches"]}
                default = found.get("default", {})
                is_complete = default.get("operation_count") == 50
                return found if is_complete and default["memory_usage"] else {}

            shown = wait_until(complete, seconds=20, what=served.process.output)

    default = shown["default"]
    assert (default["hits"], default["misses"]) == (20, 10)
    assert {each["operation"]: each["count"] for each in default["operations"]} == {
        "get": 30,
        "set": 20,
    }
    assert default["item_count"] == 1
    assert default["memory_limit"] == 64 * 1024 * 1024
    assert 0 < default["duration"]["p50"] < 1
    assert shown["local"]["memory_usage"] == 0
