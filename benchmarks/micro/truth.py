"""Are the figures true? What several processes recorded against what the merged view says."""

from __future__ import annotations

import random
import threading
import time
import uuid
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import TYPE_CHECKING, Final

from benchmarks.measurement import Measurement, Subject
from benchmarks.micro import day
from prs_otel.observation import Observation
from prs_otel.publisher import Publisher, Texts
from prs_otel.rollup import series
from prs_otel.rollup.recorder import Rollup
from prs_otel.store import open_store
from prs_otel.store.base import Beat

if TYPE_CHECKING:
    from benchmarks.options import Options
    from prs_otel.rollup.series import Labels

GROUP: Final = "truth over 4 workers"
WORKERS: Final = 4
FLUSHES: Final = 30
PER_FLUSH: Final = 1_000
ENDPOINTS: Final = 20
QUANTILES: Final = (0.5, 0.95, 0.99)
PERCENT: Final = 100.0

Recorded = dict[tuple[str, ...], list[int]]  # durations in nanoseconds by labels


def measure(options: Options) -> list[Measurement]:
    """Record in processes, compact meanwhile, and compare every series with the truth."""
    url = f"sqlite:///{options.directory}/truth.sqlite3"
    now = float(int(time.time()) // 60 * 60)
    seeds = range(WORKERS)
    with ProcessPoolExecutor(WORKERS, mp_context=get_context("spawn")) as workers:
        parts = list(workers.map(record, [url] * WORKERS, [now] * WORKERS, seeds))
    recorded = _together(parts)
    store = open_store(url)
    end = now + FLUSHES * day.FLUSH_INTERVAL + 60
    leader = day.leadership(day.view_of(store), now=end)
    leader.contend(end)
    leader.work(end)
    figures = day.view_of(store).window(3_600.0, now=end).figures(series.REQUEST)
    miscounted = sum(
        abs(figures[labels].count - len(durations))
        for labels, durations in recorded.items()
    )
    errors = [
        abs(figures[labels].quantile(q) / _exact(durations, q) - 1) * PERCENT
        for labels, durations in recorded.items()
        for q in QUANTILES
    ]
    return [
        Subject(GROUP, "observations miscounted", "", 0.0).exactly(miscounted),
        Subject(GROUP, "largest error of p50, p95, p99", "%", 1.6).exactly(max(errors)),
    ]


def record(url: str, now: float, seed: int) -> Recorded:
    """Be one worker: record log-normal and Pareto durations, flush every five seconds."""
    chance = random.Random(seed)
    rollup = Rollup(series_limit=day.SERIES_LIMIT, new_lock=threading.Lock, now=now)
    beat = Beat(uuid.uuid4().hex, "host", 1, now, now, {}, {})
    publisher = Publisher(rollup, open_store(url), Texts(), beat=beat)
    recorded: Recorded = {}
    for flush in range(FLUSHES):
        at = now + day.FLUSH_INTERVAL * flush
        for _ in range(PER_FLUSH):
            labels, duration = _drawn(chance)
            recorded.setdefault(labels, []).append(duration)
            rollup.record(_observation(labels, duration, at))
        publisher.flush(at + day.FLUSH_INTERVAL, figures={}, failures={})
    return recorded


def _drawn(chance: random.Random) -> tuple[Labels, int]:
    number = chance.randrange(ENDPOINTS)
    is_pareto = number % 2
    seconds = (
        0.01 * chance.paretovariate(1.3) if is_pareto else chance.lognormvariate(-4, 1)
    )
    return (f"/endpoint-{number}/", "GET"), int(seconds * 1e9)


def _observation(labels: Labels, duration: int, at: float) -> Observation:
    return Observation(
        kind=series.REQUEST,
        labels=labels,
        duration=duration,
        is_error=False,
        is_slow=False,
        at=int(at * 1e9),
        trace_id=1,
        span_id=1,
        request=None,
        code=None,
    )


def _together(parts: list[Recorded]) -> Recorded:
    together: Recorded = {}
    for part in parts:
        for labels, durations in part.items():
            together.setdefault(labels, []).extend(durations)
    return together


def _exact(durations: list[int], q: float) -> float:
    """Return the nearest-rank quantile in seconds."""
    rank = max(1, -int(-q * len(durations) // 1))
    return sorted(durations)[rank - 1] / 1e9
