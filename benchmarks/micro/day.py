"""A store as the leader would have left it: a day or more of traffic, the last seconds as deltas."""

from __future__ import annotations

import os
import random
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from benchmarks.micro import traffic
from prs_otel import semconv
from prs_otel.leader import Leadership, breathe
from prs_otel.plan import Plan
from prs_otel.rollup import codec, gauge
from prs_otel.rollup.sample import ranks
from prs_otel.rollup.totals import totals
from prs_otel.rollup.view import MetricsView
from prs_otel.store import open_store
from prs_otel.store.base import DEFAULT_QUOTA, Beat, Bucket, Store

if TYPE_CHECKING:
    from prs_otel.rollup.gauge import Gauges

FLUSH_INTERVAL: Final = 5.0
# Between two flushes in a benchmark: real ones drift through the ten-second slots that the leader
# merges, and what a merge finds half done must not depend on when the benchmark was started.
STEP: Final = 5.3
DAY: Final = 86_400.0
# Seconds of the past that each width covers, the finest first; see retention.plan.
WIDTHS: Final = (
    (10, 20.0, 600.0),
    (60, 600.0, 7_200.0),
    (300, 7_200.0, DAY),
    (3600, DAY, 365 * DAY),
)
HOUR: Final = 3_600.0
VARIATIONS: Final = 3
HOST_GAUGES: Final = (
    semconv.SYSTEM_CPU_UTILIZATION,
    semconv.SYSTEM_MEMORY_UTILIZATION,
    semconv.SYSTEM_FILESYSTEM_UTILIZATION,
    semconv.DB_CLIENT_CONNECTION_COUNT,
)
SERIES_LIMIT: Final = 2_000
SQL: Final = "SELECT " + ", ".join(f'"section"."column_{n}"' for n in range(12))


@dataclass(frozen=True, slots=True)
class Load:
    """How much traffic the store has seen; ``rate`` is observations per second of all workers."""

    series: int
    workers: int = 8
    rate: float = 4_000.0
    hours: int = 24


class Day:
    """Fills one store and keeps appending to it; made once per store."""

    def __init__(self, store: Store, load: Load, *, now: float) -> None:
        self._store = store
        self._load = load
        self._started_at = now - load.hours * HOUR
        self._sequence = 0
        self._mix = traffic.mix(load.series)
        self._chance = random.Random(5)
        self._texts = {
            each.labels[1]: f"{SQL} FROM section_{each.labels[1]} WHERE id = ?"
            for each in self._mix
            if each.kind == "query"
        }
        self._gauges: Gauges = {
            (name, ("host",)): gauge.reading(0.4, at=now) for name in HOST_GAUGES
        }
        self._deltas = self._variations(0, load.rate * FLUSH_INTERVAL / load.workers)

    def fill(self, *, now: float) -> None:
        """Append all the hours up to ``now``."""
        for level, youngest, widest in WIDTHS:
            oldest = min(widest, self._load.hours * HOUR)
            if oldest <= youngest:
                break
            variations = self._variations(level, self._load.rate * level)
            for start in _starts(level, now - oldest, now - youngest):
                self._append(variations, start, start + level, now=now)
        for ago in (15.0, 10.0, 5.0, 0.0):
            self.flush(now=now - ago)

    def flush(self, *, now: float) -> None:
        """Append one delta of every worker."""
        for worker in range(self._load.workers):
            start = now - FLUSH_INTERVAL
            self._append(self._deltas, start, now, now=now, worker=worker)

    def _append(
        self, of: list[Bucket], start: float, end: float, *, now: float, worker: int = 0
    ) -> None:
        self._sequence += 1
        name = f"{worker:032x}"
        self._store.append(
            replace(of[self._sequence % VARIATIONS], start=start, end=end),
            worker=name,
            sequence=self._sequence,
            beat=Beat(name, "host", 1, self._started_at, now, {}, {}),
            texts=self._texts if self._sequence == 1 else {},
        )

    def _variations(self, level: int, observations: float) -> list[Bucket]:
        return [self._bucket(level, observations) for _ in range(VARIATIONS)]

    def _bucket(self, level: int, observations: float) -> Bucket:
        chance = self._chance
        cells = traffic.cells(self._mix, observations=observations, chance=chance)
        samples = traffic.samples(self._mix, at=self._started_at, chance=chance)
        return Bucket(
            level=level,
            start=0.0,
            end=0.0,
            cells=codec.encode_cells(cells),
            samples=codec.encode_samples(samples),
            gauges=codec.encode_gauges(self._gauges),
            slowest=ranks(samples),
            totals=codec.encode_cells(totals(cells)),
        )


def prepare(url: str, load: Load) -> None:
    """Fill the store at ``url`` up to now, and put it in order as the leader does."""
    now = time.time()
    store = open_store(url)
    Day(store, load, now=now).fill(now=now)
    leader = leadership(view_of(store), now=now, hours=load.hours)
    leader.contend(now)
    leader.work(now)
    store.close()


def view_of(store: Store) -> MetricsView:
    """Return a view of ``store`` that has read nothing yet."""
    return MetricsView(
        store, series_limit=SERIES_LIMIT, new_lock=threading.Lock, breathe=breathe
    )


def leadership(
    view: MetricsView, *, now: float, hours: int = 24, keeps_lifetime: bool = False
) -> Leadership:
    """Return the leader's work on a view's store, done whenever its ``work`` is called."""
    me = Beat("leader", socket.gethostname(), os.getpid(), now, now, {}, {})
    plan = Plan(
        flush_interval=FLUSH_INTERVAL,
        system_metrics_interval=15.0,
        retention_seconds=hours * HOUR,
        series_limit=SERIES_LIMIT,
        quota_bytes=DEFAULT_QUOTA,
        directory="/",
        keeps_lifetime=keeps_lifetime,
    )
    return Leadership(view, plan, beat=me)


def _starts(level: int, oldest: float, youngest: float) -> Iterator[float]:
    start = oldest // level * level
    while start + level <= youngest:
        yield start
        start += level
