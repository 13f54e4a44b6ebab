"""What a worker holds in memory above stock OpenTelemetry, and what reading adds to a process.

Both workers have served 1,000 endpoints of one query each: 2,000 series.
"""

from __future__ import annotations

import gc
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING, Final

import psutil

from benchmarks.isolation import isolated
from benchmarks.measurement import Measurement, Subject
from benchmarks.micro import day
from benchmarks.micro.summary import answer, set_up_django
from benchmarks.overhead.plan import named
from benchmarks.overhead.processes import SinkProcess, WorkerProcess
from benchmarks.overhead.project import Project
from prs_otel import memory
from prs_otel.store import open_store

if TYPE_CHECKING:
    from benchmarks.options import Options

GROUP: Final = "memory, 2,000 series"
ENDPOINTS: Final = 1_000
LOAD: Final = day.Load(series=2 * ENDPOINTS)
PAIRS: Final = (
    ("exporting", "ours", "stock"),
    ("embedded", "ours-embedded", "stock-embedded"),
)
COVERED_TIMES: Final = 2
LARGEST_SAMPLE: Final = 3
MEBIBYTE: Final = 1 << 20
IDLE_SECONDS: Final = 3_600.0
LIMIT: Final = 15.0
LIMIT_READING: Final = 40.0


def measure(options: Options) -> list[Measurement]:
    """Weigh a few pairs of workers, then one reading process."""
    project = Project(options.directory)
    project.create()
    return [*_workers(project, min(options.rounds, LARGEST_SAMPLE)), *_reading(options)]


def _workers(project: Project, times: int) -> list[Measurement]:
    measurements = []
    for title, ours, stock in PAIRS:
        more = [
            (_weight(project, ours) - _weight(project, stock)) / MEBIBYTE
            for _ in range(times)
        ]
        subject = Subject(
            GROUP, f"worker above stock OpenTelemetry, {title}", "MiB", LIMIT
        )
        measurements.append(subject.median_of(more))
    return measurements


def _weight(project: Project, name: str) -> int:
    """Return the resident bytes of a worker that has served every endpoint."""
    variant = named(name)
    with ExitStack() as stack:
        sink = stack.enter_context(SinkProcess())
        environment = project.environment(variant, sink.url_of(variant))
        environment["SITE_ENDPOINTS"] = str(ENDPOINTS)
        worker = stack.enter_context(WorkerProcess(variant, environment, project.log))
        for _ in range(COVERED_TIMES):
            worker.cover(ENDPOINTS)
        return worker.memory


def _reading(options: Options) -> list[Measurement]:
    url = f"sqlite:///{options.directory}/memory.sqlite3"
    now = time.time()
    isolated(_fill, url, now)
    reading, idle = isolated(_read, url, now)
    more = Subject(GROUP, "reading process, more than before", "MiB", LIMIT_READING)
    held = Subject(GROUP, "of that still held when idle", "MiB", LIMIT)
    return [more.exactly(reading), held.exactly(idle)]


def _fill(url: str, now: float) -> None:
    store = open_store(url)
    day.Day(store, LOAD, now=now).fill(now=now)
    leader = day.leadership(day.view_of(store), now=now)
    leader.contend(now)
    leader.work(now)
    store.close()


def _read(url: str, now: float) -> tuple[float, float]:
    """Return the MiB that reading adds, and what of it stays once nobody reads any more."""
    set_up_django()
    answer(day.view_of(open_store("memory://")), now)
    before = _resident()
    view = day.view_of(open_store(url))
    for step in range(3):
        answer(view, now + step)
    reading = _resident() - before
    if view.forget_idle(now=now + IDLE_SECONDS):
        memory.give_back()
    return reading, _resident() - before


def _resident() -> float:
    gc.collect()
    return float(psutil.Process().memory_info().rss) / MEBIBYTE
