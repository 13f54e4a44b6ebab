"""What measuring adds to a call of a cache in this process's own memory, folding included.

A call that goes to a server takes fifty times as long, and pays no more.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from benchmarks.measurement import Measurement, Subject
from prs_otel.rollup.recorder import Rollup

if TYPE_CHECKING:
    from benchmarks.options import Options

GROUP: Final = "cache, per call, above Django's own LocMemCache"
BATCH: Final = 500
BATCHES_A_ROUND: Final = 20
MICROSECONDS: Final = 1e-3  # in nanoseconds

CALLS: Final[tuple[tuple[str, Callable[[Any], object]], ...]] = (
    ("get of a key", lambda cache: cache.get("key")),
    ("get of no key", lambda cache: cache.get("nothing")),
    ("get_many of three keys", lambda cache: cache.get_many(["key", "a", "b"])),
    ("get_or_set of a key", lambda cache: cache.get_or_set("key", 1)),
    ("set", lambda cache: cache.set("key", 1)),
)


def measure(options: Options) -> list[Measurement]:
    """Time the calls with and without us."""
    from django.conf import settings

    settings.configure()
    return [
        Subject(GROUP, f"added by a {name}", "µs").median_of(
            [_added(call) for _ in range(options.rounds * BATCHES_A_ROUND)]
        )
        for name, call in CALLS
    ]


def _added(call: Callable[[Any], object]) -> float:
    from django.core.cache import cache

    from prs_otel.instrumentation import cache as instrumentation

    cache.set("key", 1)
    bare = _batch(cache, call)
    rollup = Rollup(series_limit=2_000, new_lock=threading.Lock)
    instrumentation.install(record=rollup.record_cache)
    try:
        return _batch(cache, call) - bare
    finally:
        instrumentation.uninstall()


def _batch(cache: object, call: Callable[[Any], object]) -> float:
    """Return the CPU microseconds of one call, the mean of a batch."""
    before = time.thread_time_ns()
    for _ in range(BATCH):
        call(cache)
    return (time.thread_time_ns() - before) / BATCH * MICROSECONDS
