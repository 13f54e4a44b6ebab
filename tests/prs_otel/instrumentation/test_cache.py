from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.core.cache import caches
from django.core.cache.backends.base import BaseCache
from django.core.cache.backends.dummy import DummyCache
from django.core.cache.backends.locmem import LocMemCache

from prs_otel import guard
from prs_otel.instrumentation import cache as instrumentation

METHODS = ("get", "get_many", "set", "add", "get_or_set", "aget", "aset", "aget_or_set")


@dataclass
class Calls:
    """What was told of the calls made."""

    told: list[tuple[str, int, int]] = field(default_factory=list)
    durations: list[int] = field(default_factory=list)

    def record(self, alias: str, hits: int, misses: int, duration: int) -> None:
        self.told.append((alias, hits, misses))
        self.durations.append(duration)

    @property
    def hits(self) -> int:
        return sum(hits for _, hits, _ in self.told)

    @property
    def misses(self) -> int:
        return sum(misses for _, _, misses in self.told)


@pytest.fixture
def calls() -> Iterator[Calls]:
    found = Calls()
    instrumentation.install(record_cache=found.record)
    yield found
    instrumentation.uninstall()
    for alias in caches:
        caches[alias].clear()


@pytest.fixture
def cache(calls: Calls) -> BaseCache:
    found: BaseCache = caches["default"]
    found.set("here", "value")
    found.set("none", None)
    found.set("number", 1)
    calls.told.clear()
    return found


LOOKUPS: dict[str, tuple[Callable[[BaseCache], Any], Any, int, int]] = {
    "get of a key": (lambda c: c.get("here"), "value", 1, 0),
    "get of no key": (lambda c: c.get("nowhere"), None, 0, 1),
    "get with a default": (lambda c: c.get("nowhere", 7), 7, 0, 1),
    "get with a named default": (lambda c: c.get("nowhere", default=7), 7, 0, 1),
    "get of named key": (lambda c: c.get(key="here"), "value", 1, 0),
    "get of a version": (lambda c: c.get("here", None, 2), None, 0, 1),
    "get of a stored None": (lambda c: c.get("none", 7), None, 1, 0),
    "get_many": (lambda c: c.get_many(["here", "nowhere"]), {"here": "value"}, 1, 1),
    "get_many of an iterator": (
        lambda c: c.get_many(iter(["here", "x", "y", "x"])),
        {"here": "value"},
        1,
        2,
    ),
    "get_many of named keys": (lambda c: c.get_many(keys=["x"]), {}, 0, 1),
    "get_or_set of a key": (lambda c: c.get_or_set("here", "new"), "value", 1, 0),
    "get_or_set of no key": (lambda c: c.get_or_set("new", lambda: 7), 7, 0, 1),
    "set": (lambda c: c.set("here", "other"), None, 0, 0),
    "add": (lambda c: c.add("here", "other"), False, 0, 0),
    "incr": (lambda c: c.incr("number"), 2, 0, 0),
    "has_key": (lambda c: "here" in c, True, 0, 0),
    "set_many": (lambda c: c.set_many({"a": 1, "b": 2}), [], 0, 0),
    "delete": (lambda c: c.delete("here"), True, 0, 0),
    "clear": (lambda c: c.clear(), None, 0, 0),
}
ASYNC_LOOKUPS: dict[str, tuple[Callable[[BaseCache], Any], Any, int, int]] = {
    "aget of a key": (lambda c: c.aget("here"), "value", 1, 0),
    "aget of no key": (lambda c: c.aget("nowhere", 7), 7, 0, 1),
    "aget_many": (lambda c: c.aget_many(["here", "x"]), {"here": "value"}, 1, 1),
    "aget_or_set of a key": (lambda c: c.aget_or_set("here", "new"), "value", 1, 0),
    "aget_or_set of no key": (lambda c: c.aget_or_set("new", 7), 7, 0, 1),
    "aset": (lambda c: c.aset("here", "other"), None, 0, 0),
}


@pytest.mark.parametrize(
    ("call", "result", "hits", "misses"), LOOKUPS.values(), ids=LOOKUPS
)
def test_keys_looked_up_are_hits_or_misses(
    cache: BaseCache, calls: Calls, call: Any, result: Any, hits: int, misses: int
) -> None:
    assert call(cache) == result
    assert (calls.hits, calls.misses) == (hits, misses)


@pytest.mark.parametrize(
    ("call", "result", "hits", "misses"), ASYNC_LOOKUPS.values(), ids=ASYNC_LOOKUPS
)
def test_keys_looked_up_by_coroutines_are_hits_or_misses(
    cache: BaseCache, calls: Calls, call: Any, result: Any, hits: int, misses: int
) -> None:
    async def main() -> Any:
        # A cache object belongs to the context that made it.
        return await call(cache)

    assert asyncio.run(main()) == result
    assert (calls.hits, calls.misses) == (hits, misses)


@pytest.mark.parametrize("name", ["get_many", "incr"])
def test_a_call_within_a_call_is_not_told(
    cache: BaseCache, calls: Calls, name: str
) -> None:
    cache.set("number", 1)
    calls.told.clear()
    getattr(cache, name)("number" if name == "incr" else ["a", "b", "c"])

    assert len(calls.told) == 1


def test_what_the_default_of_get_or_set_looks_up_counts(
    cache: BaseCache, calls: Calls
) -> None:
    other = caches["other"]

    def default() -> Any:
        return other.get("new", cache.get("here"))

    assert cache.get_or_set("new", default) == "value"
    lookups = [told for told in calls.told if told[1:] != (0, 0)]
    assert lookups == [("default", 0, 1), ("default", 1, 0), ("other", 0, 1)]


def test_calls_are_told_by_alias_with_their_duration(calls: Calls) -> None:
    caches["other"].get("key")

    assert calls.told == [("other", 0, 1)]
    assert calls.durations[0] > 0


def test_the_configured_class_stays_what_it_is(calls: Calls) -> None:
    assert type(caches["default"]) is LocMemCache


def test_a_cache_that_nobody_configured_is_not_measured(calls: Calls) -> None:
    own = LocMemCache("own", {})
    own.set("key", 1)

    assert own.get("key") == 1
    assert calls.told == []


def test_a_cache_made_later_is_measured(
    calls: Calls, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = caches.create_connection("other")
    made.get("key")

    assert calls.told == [("other", 0, 1)]


class Subclassed(DummyCache):
    def get(self, key: Any, default: Any = None, version: Any = None) -> Any:
        return super().get(key, default, version)


@pytest.mark.parametrize(
    "backend", ["django.core.cache.backends.dummy.DummyCache", f"{__name__}.Subclassed"]
)
def test_a_backend_that_keeps_nothing_misses_always(
    calls: Calls, settings: Any, backend: str
) -> None:
    settings.CACHES = {"default": {"BACKEND": backend}}
    cache = caches["default"]

    assert cache.get("key", 7) == 7
    assert calls.told == [("default", 0, 1)]


class Broken(DummyCache):
    def get(self, key: Any, default: Any = None, version: Any = None) -> Any:
        raise ConnectionError


def test_a_backend_that_fails_has_neither_hit_nor_missed(
    calls: Calls, settings: Any
) -> None:
    settings.CACHES = {"default": {"BACKEND": f"{__name__}.Broken"}}
    with pytest.raises(ConnectionError):
        caches["default"].get("key")
    caches["default"].set("key", 1)

    assert calls.told == [("default", 0, 0), ("default", 0, 0)]


def test_uninstalled_every_method_is_the_backends_own(calls: Calls) -> None:
    measured = [getattr(LocMemCache, name) for name in METHODS]
    instrumentation.uninstall()
    restored = [getattr(LocMemCache, name) for name in METHODS]

    assert not any(hasattr(method, "__wrapped__") for method in restored)
    assert [method.__wrapped__ for method in measured] == restored
    caches["default"].get("key")
    assert calls.told == []


def test_installing_again_replaces_whom_it_tells(calls: Calls) -> None:
    other = Calls()
    instrumentation.install(record_cache=other.record)
    caches["default"].get("key")

    assert (calls.told, other.told) == ([], [("default", 0, 1)])


def test_a_failure_of_ours_does_not_reach_the_application(
    cache: BaseCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError

    monkeypatch.setattr(guard, "reraise", False)
    instrumentation.install(record_cache=fail)

    assert cache.get("here") == "value"
    assert guard.report() == {"cache.record": 1}
