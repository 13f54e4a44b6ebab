from __future__ import annotations

from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.cache import caches
from django.core.cache.backends.dummy import DummyCache
from django.core.cache.backends.locmem import LocMemCache

from prs_otel import guard
from prs_otel.instrumentation import cache_backends, cache_usage
from prs_otel.instrumentation.cache_backends import Reader, Usage
from prs_otel.instrumentation.cache_usage import CacheUsage
from prs_otel.rollup import labelled
from tests.support.clock import Clock

DJANGO = "django.core.cache.backends"
MEMORY = "prs.cache.memory.usage"
ITEMS = "prs.cache.item.count"


class Served(DummyCache):
    """A cache whose server tells what it holds."""


class Failing(DummyCache):
    """A cache whose server is down."""


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def usage(clock: Clock) -> CacheUsage:
    return CacheUsage(clock)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Let two more backends be known; return which were asked."""
    asked: list[str] = []

    def tell(cache: object) -> Usage:
        asked.append("served")
        return Usage(memory=1_000, memory_limit=None, items=3, evictions=2)

    def fail(cache: object) -> Usage:
        asked.append("failing")
        raise ConnectionError("refused")

    readers = {
        f"{__name__}.Served": Reader(tell),
        f"{__name__}.Failing": Reader(fail),
    }
    known = {**cache_backends._READERS, **readers}
    monkeypatch.setattr(cache_backends, "_READERS", known)
    return asked


@pytest.fixture
def configure(settings: Any) -> Iterator[Callable[..., None]]:
    def configured(**backends: str) -> None:
        settings.CACHES = {
            "default": {"BACKEND": f"{DJANGO}.dummy.DummyCache"},
            **{
                alias: {"BACKEND": backend, "LOCATION": alias}
                for alias, backend in backends.items()
            },
        }

    yield configured
    for cache in caches.all(initialized_only=True):
        cache.clear()


def test_memory_of_the_process_is_that_of_keys_and_pickled_values(
    usage: CacheUsage, configure: Any
) -> None:
    configure(local=f"{DJANGO}.locmem.LocMemCache")
    caches["local"].set("key", b"x" * 1_000)

    figures = usage.figures(leads=False)

    ((labels, memory),) = labelled.parts(figures, MEMORY).items()
    assert labels == ("local", "local")
    assert 1_000 < memory < 1_100
    assert labelled.parts(figures, ITEMS) == {labels: 1}
    assert labelled.parts(figures, "prs.cache.evictions") == {}


def test_of_many_entries_some_are_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache_backends, "_ENTRIES_MEASURED", 10)
    cache = LocMemCache("many", {})
    for number in range(200):
        cache.set(f"{number:03}", b"x" * 100)

    found = cache_backends.of_local_memory(cache)
    cache.clear()

    assert found.items == 200
    assert found.memory == pytest.approx(200 * 122, rel=0.1)
    assert cache_backends.of_local_memory(cache) == Usage(memory=0, items=0)


def test_a_backend_derived_from_one_that_is_known_tells_the_same() -> None:
    class Own(LocMemCache):
        pass

    reader = cache_backends.reader_of(Own("own", {}))

    assert reader is not None
    assert not reader.is_shared


@pytest.mark.parametrize("backend", ["filebased.FileBasedCache", "db.DatabaseCache"])
def test_a_backend_that_does_not_tell_is_left_out(
    usage: CacheUsage, configure: Any, backend: str, tmp_path: Any
) -> None:
    configure(**{str(tmp_path): f"{DJANGO}.{backend}"})

    assert usage.figures(leads=True) == {}


def test_what_all_processes_share_is_asked_for_by_the_leader_only(
    usage: CacheUsage, configure: Any, asked: list[str]
) -> None:
    configure(shop=f"{__name__}.Served")

    assert usage.figures(leads=False) == {}
    assert asked == []
    assert usage.figures(leads=True) == {
        labelled.key(MEMORY, "shop", "shared"): 1_000,
        labelled.key(ITEMS, "shop", "shared"): 3,
        labelled.key("prs.cache.evictions", "shop", "shared"): 2,
    }


def test_a_server_that_fails_is_counted_and_left_alone_for_a_while(
    usage: CacheUsage, configure: Any, asked: list[str], clock: Clock
) -> None:
    configure(down=f"{__name__}.Failing", shop=f"{__name__}.Served")

    for _ in range(4):
        assert len(usage.figures(leads=True)) == 3
        clock.advance(15)
    assert asked.count("failing") == 1
    assert guard.report() == {"cache.usage.down": 1}

    usage.figures(leads=True)
    assert asked.count("failing") == 2


def test_a_backend_that_cannot_be_used_is_counted_once(
    usage: CacheUsage, configure: Any, asked: list[str]
) -> None:
    configure(gone="no.such.Cache", shop=f"{__name__}.Served")

    for _ in range(2):
        assert len(usage.figures(leads=True)) == 3
    assert guard.report() == {"cache.usage.gone": 1}


def test_a_round_that_has_taken_too_long_ends(
    usage: CacheUsage,
    configure: Any,
    asked: list[str],
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    configure(one=f"{__name__}.Served", two=f"{__name__}.Served")
    source_of = cache_usage._source_of

    def slow(alias: str) -> Any:
        clock.advance(3)
        return source_of(alias)

    monkeypatch.setattr(cache_usage, "_source_of", slow)
    usage.figures(leads=True)
    assert asked == []
    usage.figures(leads=True)
    assert asked == ["served"]
    usage.figures(leads=True)
    usage.figures(leads=True)
    assert asked == ["served"] * 5


def test_only_so_many_caches_are_asked(
    usage: CacheUsage, configure: Any, asked: list[str]
) -> None:
    configure(**{f"shop{n}": f"{__name__}.Served" for n in range(30)})

    usage.figures(leads=True)

    # The default one, which does not tell, is among the twenty.
    assert len(asked) == 19


def test_a_redis_behind_a_sentinel_or_a_ring_does_not_tell() -> None:
    def spread(**_: object) -> None:
        raise NotImplementedError

    pool = SimpleNamespace(
        connection_class=None, connection_kwargs={"connection_pool": 1}
    )
    behind_sentinel = SimpleNamespace(connection_pool=pool)
    caches: list[Any] = [
        SimpleNamespace(client=SimpleNamespace(get_client=spread)),
        SimpleNamespace(client=SimpleNamespace(get_client=lambda **_: behind_sentinel)),
    ]

    assert [cache_backends.of_django_redis(each) for each in caches] == [None, None]
