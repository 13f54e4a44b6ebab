"""``summary(hours=24)``: 200 series, 8 workers, a store with a whole day in it.

Cold is a process's first answer, from a new connection and an empty view; warm is the next one,
after every worker has flushed once more. Both as the API gives it: as JSON. Meanwhile the leader
compacts every 10 s and writes its rolling total every 60 s, by the clock the benchmark makes up.
Judged by CPU, which is what the wall clock shows where no other process wants the core.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from benchmarks.measurement import Measurement, Subject
from benchmarks.micro import day
from prs_otel.store import open_store

if TYPE_CHECKING:
    from benchmarks.options import Options
    from prs_otel.rollup.view import MetricsView

GROUP: Final = "summary(hours=24), 200 series, 8 workers"
LOAD: Final = day.Load(series=200)
STEPS_A_ROUND: Final = 4
MILLISECONDS: Final = 1e3


@dataclass(frozen=True, slots=True)
class Took:
    """Wall and CPU milliseconds of one answer."""

    wall: float
    cpu: float


def measure(options: Options) -> list[Measurement]:
    """Let minutes pass flush by flush, and ask after each."""
    set_up_django()
    url = f"sqlite:///{options.directory}/summary.sqlite3"
    now = time.time()
    store = open_store(url)
    writer = day.Day(store, LOAD, now=now)
    writer.fill(now=now)
    leader = day.leadership(day.view_of(store), now=now)
    reader = day.view_of(open_store(url))
    answer(reader, now)
    cold, warm = [], []
    for _ in range(options.rounds * STEPS_A_ROUND):
        now += day.STEP
        writer.flush(now=now)
        if leader.contend(now):
            leader.work(now)
        warm.append(answer(reader, now))
        cold.append(answer(day.view_of(open_store(url)), now))
    return [
        Subject(GROUP, "warm, CPU", "ms", 20.0).median_of([one.cpu for one in warm]),
        Subject(GROUP, "warm, wall", "ms").median_of([one.wall for one in warm]),
        Subject(GROUP, "cold, CPU", "ms", 60.0).median_of([one.cpu for one in cold]),
        Subject(GROUP, "cold, wall", "ms").median_of([one.wall for one in cold]),
    ]


def answer(view: MetricsView, now: float) -> Took:
    """Make the document and its JSON, as the API does."""
    from prs_otel.monitoring.documents.summary import summary

    wall, cpu = time.perf_counter(), time.process_time()
    document = summary(view, hours=24, now=now).model_dump_json()
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    if '"endpoints"' not in document:
        raise RuntimeError(f"this is no summary: {document}")
    return Took(wall * MILLISECONDS, cpu * MILLISECONDS)


def set_up_django() -> None:
    """Make Django ready for the documents; nothing of ours is started."""
    import django
    from django.conf import settings

    settings.configure(
        INSTALLED_APPS=[
            "django.contrib.contenttypes",
            "django.contrib.auth",
            "prs_otel",
        ],
        MONITORING_SETTINGS={"ENABLED": False},
        USE_TZ=True,
    )
    django.setup()
