"""Trends of a day and of a week: 200 series, 8 workers, all of it stored.

Cold is a process's first answer, from a new connection and an empty view; warm is the next one.
Both as the API gives it: as JSON. Judged by CPU, as the summary is.
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from benchmarks.measurement import Measurement, Subject
from benchmarks.micro import day
from benchmarks.micro.summary import LOAD, MILLISECONDS, Took, set_up_django
from prs_otel.rollup.digest import Selection
from prs_otel.store import open_store

if TYPE_CHECKING:
    from benchmarks.options import Options
    from prs_otel.rollup.view import MetricsView

GROUP: Final = "trends, 200 series, 8 workers"
WEEK: Final = 7 * day.DAY
WARM: Final = 50.0
# What is drawn, over how many seconds, and what its first answer may take in milliseconds.
DRAWN: Final = (
    ("24 h", Selection(), day.DAY, 300.0),
    ("168 h", Selection(), WEEK, 600.0),
    ("24 h of an endpoint", Selection(endpoint="/api/section-1/"), day.DAY, None),
    ("24 h of an organisation", Selection(organization_id="7"), day.DAY, None),
)


def measure(options: Options) -> list[Measurement]:
    """Draw each trend twice in every round, with a new view."""
    set_up_django()
    url = f"sqlite:///{options.directory}/trends.sqlite3"
    now = time.time()
    load = replace(LOAD, hours=int(WEEK / day.HOUR))
    day.Day(open_store(url), load, now=now).fill(now=now)
    found: list[Measurement] = []
    for name, selection, seconds, limit in DRAWN:
        cold, warm = [], []
        for _ in range(options.rounds):
            view = day.view_of(open_store(url))
            cold.append(answer(view, selection, seconds, now))
            warm.append(answer(view, selection, seconds, now))
        found += [
            _subject(f"{name}, cold", limit).median_of([one.cpu for one in cold]),
            _subject(f"{name}, warm", WARM).median_of([one.cpu for one in warm]),
        ]
    return found


def answer(view: MetricsView, selection: Selection, seconds: float, now: float) -> Took:
    """Make the document and its JSON, as the API does."""
    from prs_otel.monitoring import documents

    asked = documents.TrendQuery(selection, seconds=seconds)
    wall, cpu = time.perf_counter(), time.process_time()
    document = documents.trends(view, asked, now=now).model_dump_json()
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    if '"points"' not in document:
        raise RuntimeError(f"these are no trends: {document}")
    return Took(wall * MILLISECONDS, cpu * MILLISECONDS)


def _subject(name: str, limit: float | None) -> Subject:
    return Subject(GROUP, f"{name}, CPU", "ms", limit)
