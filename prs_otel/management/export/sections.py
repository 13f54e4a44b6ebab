"""What an export consists of, read piece by piece so that its size does not matter.

Everything is read as of one moment. Only what is stored is there: of a week that was asked for
a store may know a day, and the totals say so by `covered_seconds`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pydantic import BaseModel

from prs_otel.monitoring import documents
from prs_otel.monitoring.documents import Page, TrendQuery
from prs_otel.monitoring.schemas import (
    AliasMetrics,
    CacheFigures,
    Document,
    EndpointMetrics,
    NamedTaskFigures,
    NPlusOneFinding,
    OrganizationMetrics,
    QueryFigures,
    RequestFigures,
    StatementMetrics,
    SystemFigures,
    TaskFigures,
    TrendPoint,
    UserMetrics,
    WindowDocument,
)
from prs_otel.rollup.digest import Selection

if TYPE_CHECKING:
    from prs_otel.monitoring.schemas import Summary
    from prs_otel.rollup.view import MetricsView

HOUR: Final = 3600.0
STEPS: Final = (10, 60, 300, 900, 3600, 21_600, 86_400)
"""Seconds between two points; each is a multiple of those before that stored data has."""

_POINTS_READ: Final = 360
"""Points read at once. So many of any step are whole hours, which no stored bucket straddles."""
_POINTS_WANTED: Final = 400

_ALL: Final = sys.maxsize


class Totals(Document):
    """The whole window in one record."""

    window: WindowDocument
    requests: RequestFigures
    queries: QueryFigures
    tasks: TaskFigures
    cache: CacheFigures | None
    system: SystemFigures


class Trend(TrendPoint):
    """One point of the time series, which is `step` seconds long."""

    step: int


RECORDS: Final[dict[str, type[BaseModel]]] = {
    "totals": Totals,
    "trends": Trend,
    "endpoints": EndpointMetrics,
    "fingerprints": StatementMetrics,
    "databases": AliasMetrics,
    "n_plus_one": NPlusOneFinding,
    "organizations": OrganizationMetrics,
    "users": UserMetrics,
    "tasks": NamedTaskFigures,
}
"""Every section with what its records are, in the order in which they are written."""

Sections = Iterator[tuple[str, Iterator[BaseModel]]]


@dataclass(frozen=True, slots=True)
class Stretch:
    """Say what is exported: how many seconds up to `now`, and the time between two points."""

    seconds: float
    step: int
    now: float


def step_for(seconds: float) -> int:
    """Return the finest step at which the window is not many more points than a chart has."""
    return next((step for step in STEPS if seconds / step <= _POINTS_WANTED), STEPS[-1])


def summarized(view: MetricsView, asked: Stretch) -> Summary:
    """Return the whole window at a glance; raises `StoreError`."""
    return documents.summary(view, hours=asked.seconds / HOUR, now=asked.now)


def totals(summary: Summary) -> Totals:
    """Return the figures of the whole window."""
    values = {name: getattr(summary, name) for name in Totals.model_fields}
    tasks = summary.tasks.model_dump(exclude={"tasks"})
    return Totals(**{**values, "tasks": TaskFigures(**tasks)})


def pieces(view: MetricsView, asked: Stretch) -> list[tuple[float, float]]:
    """Return the parts in which the trends are read, oldest first, from the first bucket on.

    Raises `StoreError`.
    """
    with view.store.reading() as reader:
        first = min((row.start for row in reader.rows()), default=asked.now)
    length = _POINTS_READ * asked.step
    start, end = max(asked.now - asked.seconds, first), asked.now
    found = []
    while start < end:
        stop = min((start // length + 1) * length, end)
        found.append((start, stop))
        start = stop
    return found


def sections(view: MetricsView, asked: Stretch, trends: Iterator[Trend]) -> Sections:
    """Yield each section with its records, to be consumed before the next is asked for.

    Raises `StoreError`.
    """
    summary = summarized(view, asked)
    yield "totals", iter((totals(summary),))
    yield "trends", trends
    page = Page(asked.seconds, limit=_ALL)
    calls = documents.api_metrics(view, page, now=asked.now)
    yield "endpoints", iter(calls.endpoints)
    database = documents.database_metrics(view, page, now=asked.now)
    yield "fingerprints", iter(database.fingerprints)
    yield "databases", iter(database.aliases)
    yield "n_plus_one", iter(database.n_plus_one)
    yield "organizations", iter(calls.organizations or ())
    yield "users", iter(calls.users or ())
    yield "tasks", iter(summary.tasks.tasks)


def trends(
    view: MetricsView,
    asked: Stretch,
    parts: Iterable[tuple[float, float]],
    *,
    on_part: Callable[[], object],
) -> Iterator[Trend]:
    """Yield the points that anything is known of; `on_part` is called after each part.

    Raises `StoreError`.
    """
    for start, stop in parts:
        query = TrendQuery(Selection(), seconds=stop - start, step=asked.step)
        found = documents.trends(view, query, now=stop)
        for point in found.points:
            # Where nothing was measured there is nothing to export.
            if point.requests.count is not None:
                yield Trend(step=found.step, **dict(point))
        on_part()
