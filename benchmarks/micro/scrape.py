"""One scrape by Prometheus: 200 series, 8 workers, a store with a day in it.

Read and written as any worker does it, after every flush; the leader compacts and keeps the
lifetime up to date by the clock the benchmark makes up. Judged by CPU.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from benchmarks.measurement import Measurement, Subject
from benchmarks.micro import day
from prs_otel.scrape.exposition import written
from prs_otel.scrape.snapshot import taken
from prs_otel.store import open_store

if TYPE_CHECKING:
    from benchmarks.options import Options
    from prs_otel.rollup.view import MetricsView

GROUP: Final = "a scrape, 200 series, 8 workers"
LOAD: Final = day.Load(series=200)
STEPS_A_ROUND: Final = 4
MILLISECONDS: Final = 1e3
FORMATS: Final = {
    "OpenMetrics": "application/openmetrics-text; version=1.0.0",
    "plain text": "text/plain",
}


def measure(options: Options) -> list[Measurement]:
    """Let minutes pass flush by flush, and scrape after each."""
    now = time.time()
    store = open_store(f"sqlite:///{options.directory}/scrape.sqlite3")
    writer = day.Day(store, LOAD, now=now)
    writer.fill(now=now)
    leader = day.leadership(day.view_of(store), now=now, keeps_lifetime=True)
    view = day.view_of(store)
    took: dict[str, list[float]] = {name: [] for name in FORMATS}
    for _ in range(options.rounds * STEPS_A_ROUND):
        now += day.STEP
        writer.flush(now=now)
        if leader.contend(now):
            leader.work(now)
        for name, accept in FORMATS.items():
            took[name].append(_scraped(view, now, accept))
    return [
        Subject(GROUP, f"{name}, CPU", "ms", 100.0).median_of(milliseconds)
        for name, milliseconds in took.items()
    ]


def _scraped(view: MetricsView, now: float, accept: str) -> float:
    before = time.process_time()
    snapshot = taken(view, limit=day.SERIES_LIMIT, now=now)
    if snapshot is None:
        raise RuntimeError("the leader has not begun a lifetime")
    written(snapshot, accept=accept)
    return (time.process_time() - before) * MILLISECONDS
