"""What each endpoint was asked over time, to draw beside its name."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from prs_otel.monitoring.documents import figures as shown
from prs_otel.monitoring.schemas import EndpointTrend, EndpointTrends

if TYPE_CHECKING:
    from collections.abc import Sequence

    from prs_otel.monitoring.documents.page import Page
    from prs_otel.rollup.lines import Line
    from prs_otel.rollup.series import Labels
    from prs_otel.rollup.view import MetricsView


@dataclass(frozen=True, slots=True)
class LineQuery:
    """Ask for a page of endpoints, each with at most about so many `points`."""

    page: Page
    points: int = 24


def endpoint_trends(
    view: MetricsView, asked: LineQuery, *, now: float
) -> EndpointTrends:
    """Return the lines of a page of endpoints, the heaviest first; raises `StoreError`."""
    page = asked.page
    step = math.ceil(page.seconds / asked.points)
    drawn = view.lines(seconds=page.seconds, step=step, now=now)
    rows = sorted(
        (
            row
            for row in drawn.by_endpoint.items()
            if page.endpoint in (None, row[0][0])
        ),
        key=lambda row: (-sum(row[1].totals), row[0]),
    )
    is_known = [seconds > 0 for seconds in drawn.covered]
    return EndpointTrends(
        window=shown.stretch_document(
            drawn.stretch.since,
            drawn.stretch.until,
            known_since=drawn.stretch.known_since,
        ),
        step=drawn.step,
        times=[shown.utc(start) for start in drawn.starts],
        items=[_item(labels, line, is_known) for labels, line in page.of(rows)],
        count=len(rows),
    )


def _item(labels: Labels, line: Line, is_known: Sequence[bool]) -> EndpointTrend:
    endpoint, method = labels
    return EndpointTrend(
        endpoint=endpoint,
        method=method,
        counts=_known(line.counts, is_known),
        error_counts=_known(line.errors, is_known),
        mean_durations=[
            total / count if count else None
            for count, total in zip(line.counts, line.totals, strict=True)
        ],
    )


def _known(counts: Sequence[int], is_known: Sequence[bool]) -> list[int | None]:
    return [
        count if known or count else None
        for count, known in zip(counts, is_known, strict=True)
    ]
