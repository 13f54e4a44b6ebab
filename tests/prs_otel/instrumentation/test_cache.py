from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import suppress
from contextvars import copy_context
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import caches
from django.core.cache.backends.base import BaseCache
from django.core.cache.backends.dummy import DummyCache
from django.core.cache.backends.locmem import LocMemCache
from django.core.management import call_command
from django.test import override_settings

from prs_otel import guard
from prs_otel.instrumentation import cache as instrumentation
from prs_otel.instrumentation import cache_calls, cache_recording, cache_wrappers
from prs_otel.rollup.cache_call import CacheCall

METHODS = ("get", "get_many", "set", "add", "get_or_set", "aget", "aset", "aget_or_set")


@dataclass
class Calls:
    """What was told of the calls made."""

    told: list[tuple[str, int, int]] = field(default_factory=list)
    operations: list[str] = field(default_factory=list)
    calls: list[CacheCall] = field(default_factory=list)

    def record(self, labels: tuple[str, str], call: CacheCall) -> None:
        self.told.append((labels[0], call.hits, call.misses))
        self.operations.append(labels[1])
        self.calls.append(call)

    def clear(self) -> None:
        for told in (self.told, self.operations, self.calls):
            told.clear()

    @property
    def hits(self) -> int:
        return sum(hits for _, hits, _ in self.told)

    @property
    def misses(self) -> int:
        return sum(misses for _, _, misses in self.told)


@pytest.fixture
def calls() -> Iterator[Calls]:
    found = Calls()
    instrumentation.install(record=found.record)
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
    calls.clear()
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


ONE_CALL: dict[str, Callable[[BaseCache], Any]] = {
    "add": lambda c: c.add("here", 1),
    "clear": lambda c: c.clear(),
    "decr": lambda c: c.decr("number"),
    "decr_version": lambda c: c.decr_version("number"),
    "delete": lambda c: c.delete("here"),
    "delete_many": lambda c: c.delete_many(["here", "number"]),
    "get": lambda c: c.get("here"),
    "get_many": lambda c: c.get_many(["here", "number", "nowhere"]),
    "get_or_set": lambda c: c.get_or_set("nowhere", 1),
    "has_key": lambda c: c.has_key("here"),
    "incr": lambda c: c.incr("number"),
    "incr_version": lambda c: c.incr_version("number"),
    "set": lambda c: c.set("here", 1),
    "set_many": lambda c: c.set_many({"a": 1, "b": 2}),
    "touch": lambda c: c.touch("here"),
}
DATABASE = "django.core.cache.backends.db.DatabaseCache"
BACKENDS = {
    "locmem": "django.core.cache.backends.locmem.LocMemCache",
    "file": "django.core.cache.backends.filebased.FileBasedCache",
    "database": DATABASE,
    "dummy": "django.core.cache.backends.dummy.DummyCache",
}


@pytest.fixture(params=list(BACKENDS.values()), ids=list(BACKENDS))
def any_cache(
    request: pytest.FixtureRequest, calls: Calls, settings: Any, tmp_path: Path
) -> BaseCache:
    backend = request.param
    location = str(tmp_path) if "file" in backend else "cache_table"
    settings.CACHES = {"default": {"BACKEND": backend, "LOCATION": location}}
    if backend == DATABASE:
        request.getfixturevalue("db")
        call_command("createcachetable", verbosity=0)
    found: BaseCache = caches["default"]
    found.set_many({"here": "value", "number": 5})
    calls.clear()
    return found


@pytest.mark.parametrize("operation", ONE_CALL)
def test_one_call_is_one_operation_however_the_backend_does_it(
    any_cache: BaseCache, calls: Calls, operation: str
) -> None:
    # The dummy has nothing to increment.
    with suppress(ValueError):
        ONE_CALL[operation](any_cache)

    assert calls.operations == [operation]
    assert not calls.calls[0].is_error


@dataclass
class Awaited:
    """A cache by its coroutine functions."""

    cache: BaseCache

    def __getattr__(self, name: str) -> Any:
        return getattr(self.cache, f"a{name}")


@pytest.mark.parametrize("operation", ONE_CALL)
def test_an_awaited_call_is_the_same_operation(
    cache: BaseCache, calls: Calls, operation: str
) -> None:
    asyncio.run(ONE_CALL[operation](Awaited(cache)))  # type: ignore[arg-type]

    assert calls.operations == [operation]


def test_every_operation_of_djangos_caches_is_counted() -> None:
    interface = {
        name
        for name, value in vars(BaseCache).items()
        if callable(value) and not name.startswith(("_", "a"))
    }
    inner = {"make_key", "validate_key", "make_and_validate_key"}
    not_used = {"get_backend_timeout", "close"}

    assert interface - inner - not_used == ONE_CALL.keys() - {"add"}


def test_to_increment_no_key_is_an_answer_and_no_error(
    cache: BaseCache, calls: Calls
) -> None:
    for operation in (cache.incr, cache.decr, cache.incr_version, cache.decr_version):
        with pytest.raises(ValueError, match="not found"):
            operation("nowhere")

    assert [call.is_error for call in calls.calls] == [False] * 4


class Layered(LocMemCache):
    def get(self, key: Any, default: Any = None, version: Any = None) -> Any:
        return caches["other"].get(key, default, version)


def test_a_cache_behind_a_cache_has_figures_of_its_own(
    calls: Calls, settings: Any
) -> None:
    settings.CACHES = {
        "default": {"BACKEND": f"{__name__}.Layered"},
        "other": {"BACKEND": BACKENDS["locmem"]},
    }
    caches["default"].get("key")

    assert calls.told == [("other", 0, 1), ("default", 0, 1)]


def test_the_time_a_default_takes_is_no_time_of_the_cache(
    cache: BaseCache, calls: Calls, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = iter(range(0, 1_000, 100))
    for module in (cache_calls, cache_recording, cache_wrappers):
        monkeypatch.setattr(module, "perf_counter_ns", lambda: next(now))

    # From 0 to 300 in all, of which the default takes from 100 to 200.
    assert cache.get_or_set("new", lambda: 7) == 7
    assert [call.duration for call in calls.calls] == [200]


def test_a_default_that_fails_is_a_miss_and_no_failure_of_the_cache(
    cache: BaseCache, calls: Calls
) -> None:
    with pytest.raises(ZeroDivisionError):
        cache.get_or_set("new", lambda: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        asyncio.run(cache.aget_or_set("new", lambda: 1 / 0))

    assert calls.told == [("default", 0, 1)] * 2
    assert not any(call.is_error for call in calls.calls)
    assert cache.get("here") == "value"
    assert calls.operations[-1] == "get"


def test_a_call_that_is_given_up_is_no_error(cache: BaseCache, calls: Calls) -> None:
    async def main() -> None:
        task = asyncio.create_task(caches["default"].aget("key"))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    with override_settings(CACHES={"default": {"BACKEND": f"{__name__}.Waiting"}}):
        asyncio.run(main())

    assert [call.is_error for call in calls.calls] == [False]


class Waiting(DummyCache):
    async def aget(self, key: Any, default: Any = None, version: Any = None) -> Any:
        await asyncio.Event().wait()


def test_a_coroutine_thrown_away_elsewhere_harms_nobody(
    cache: BaseCache, calls: Calls
) -> None:
    with override_settings(CACHES={"default": {"BACKEND": f"{__name__}.Waiting"}}):
        waiting = caches["default"].aget("key")
        with pytest.raises(StopIteration):
            copy_context().run(_begun, waiting)
        waiting.close()

    assert [call.is_error for call in calls.calls] == [False]


def _begun(coroutine: Any) -> None:
    loop = asyncio.new_event_loop()
    try:
        asyncio._set_running_loop(loop)
        coroutine.send(None)
        raise StopIteration
    finally:
        asyncio._set_running_loop(None)
        loop.close()


@pytest.mark.parametrize("call", [lambda c: c.get(), lambda c: c.get_many()])
def test_a_call_without_its_argument_fails_as_it_would(
    cache: BaseCache, call: Any
) -> None:
    with pytest.raises(TypeError, match="missing 1 required positional argument"):
        call(cache)


def test_keys_that_cannot_be_told_apart_are_counted_one_by_one(
    cache: BaseCache, calls: Calls
) -> None:
    assert cache.get_many([["a"], ["b"]]) == {}
    assert calls.told == [("default", 0, 2)]


def test_what_the_default_of_get_or_set_looks_up_counts(
    cache: BaseCache, calls: Calls
) -> None:
    other = caches["other"]

    def default() -> Any:
        return other.get("new", cache.get("here"))

    assert cache.get_or_set("new", default) == "value"
    assert calls.told == [("default", 1, 0), ("other", 0, 1), ("default", 0, 1)]
    assert calls.operations == ["get", "get", "get_or_set"]


def test_calls_are_told_by_alias_with_their_duration(calls: Calls) -> None:
    caches["other"].get("key")

    assert calls.told == [("other", 0, 1)]
    assert calls.calls[0].duration > 0


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
    assert [call.is_error for call in calls.calls] == [True, False]


class Down(DummyCache):
    """A cache whose server is down."""

    def _fail(self, *_: object, **__: object) -> Any:
        raise ConnectionError

    add = clear = delete = get = get_many = get_or_set = has_key = set = touch = _fail
    decr = decr_version = delete_many = incr = incr_version = set_many = _fail


@pytest.mark.parametrize("operation", ONE_CALL)
def test_an_operation_that_fails_is_an_error_however_it_is_called(
    calls: Calls, settings: Any, operation: str
) -> None:
    settings.CACHES = {"default": {"BACKEND": f"{__name__}.Down"}}
    with pytest.raises(ConnectionError):
        ONE_CALL[operation](caches["default"])
    with pytest.raises(ConnectionError):
        asyncio.run(ONE_CALL[operation](Awaited(caches["default"])))  # type: ignore[arg-type]

    assert calls.operations == [operation] * 2
    assert calls.told == [("default", 0, 0)] * 2
    assert all(call.is_error for call in calls.calls)


class Derived(LocMemCache):
    """A backend whose methods call those of a class that is configured too."""

    def get(self, *args: Any, **kwargs: Any) -> Any:
        return super().get(*args, **kwargs)

    def get_many(self, *args: Any, **kwargs: Any) -> Any:
        return super().get_many(*args, **kwargs)

    def get_or_set(self, *args: Any, **kwargs: Any) -> Any:
        return super().get_or_set(*args, **kwargs)

    async def aget(self, *args: Any, **kwargs: Any) -> Any:
        return await super().aget(*args, **kwargs)

    async def aget_many(self, *args: Any, **kwargs: Any) -> Any:
        return await super().aget_many(*args, **kwargs)

    async def aget_or_set(self, *args: Any, **kwargs: Any) -> Any:
        return await super().aget_or_set(*args, **kwargs)


@pytest.mark.parametrize("operation", ["get", "get_many", "get_or_set"])
def test_what_two_classes_of_a_cache_do_for_one_call_counts_once(
    calls: Calls, settings: Any, operation: str
) -> None:
    settings.CACHES = {
        "default": {"BACKEND": BACKENDS["locmem"]},
        "derived": {"BACKEND": f"{__name__}.Derived"},
    }
    caches["default"].set("other", 1)
    derived = caches["derived"]
    calls.clear()
    ONE_CALL[operation](derived)
    asyncio.run(ONE_CALL[operation](Awaited(derived)))  # type: ignore[arg-type]

    assert calls.operations == [operation] * 2
    assert {alias for alias, _, _ in calls.told} == {"derived"}


class Composed(LocMemCache):
    """A cache that looks up many keys by another method of its own."""

    def get_many(self, keys: Any, version: int | None = None) -> dict[Any, Any]:
        return {key: self.get_or_set(key, f"made for {key}") for key in keys}


def test_what_a_cache_calls_of_its_own_counts_once_and_works(
    calls: Calls, settings: Any
) -> None:
    settings.CACHES = {"default": {"BACKEND": f"{__name__}.Composed"}}

    found = caches["default"].get_many(["here"])

    assert found == {"here": "made for here"}
    assert calls.operations == ["get_many"]


def test_uninstalled_no_new_cache_is_measured(calls: Calls, settings: Any) -> None:
    instrumentation.uninstall()
    settings.CACHES = {"default": {"BACKEND": f"{__name__}.Derived"}}

    caches["default"].get("key")

    assert not hasattr(Derived.get, "__wrapped__")


def test_what_cannot_be_counted_was_not_found() -> None:
    assert cache_calls.hits_and_misses(["a", "b", "a"], None) == (0, 2)
    assert cache_calls.hits_and_misses([["a"], ["b"]], {"a": 1}) == (1, 1)


def test_uninstalled_every_method_is_the_backends_own(
    cache: BaseCache, calls: Calls
) -> None:
    measured = [getattr(LocMemCache, name) for name in METHODS]
    instrumentation.uninstall()
    restored = [getattr(LocMemCache, name) for name in METHODS]

    assert not any(hasattr(method, "__wrapped__") for method in restored)
    assert [method.__wrapped__ for method in measured] == restored
    cache.get("key")
    assert calls.told == []


def test_installing_again_replaces_whom_it_tells(calls: Calls) -> None:
    other = Calls()
    instrumentation.install(record=other.record)
    caches["default"].get("key")

    assert (calls.told, other.told) == ([], [("default", 0, 1)])


def test_a_failure_of_ours_does_not_reach_the_application(
    cache: BaseCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError

    monkeypatch.setattr(guard, "reraise", False)
    instrumentation.install(record=fail)

    assert cache.get("here") == "value"
    assert guard.report() == {"cache.record": 1}
