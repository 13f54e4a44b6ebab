"""How long requests took, and how that changed: a map of time against duration."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from prs_otel.monitoring.documents import figures as shown
from prs_otel.monitoring.documents.trends import is_counted
from prs_otel.monitoring.schemas import Latency, LatencyPoint
from prs_otel.rollup.bands import banded, edges, span

if TYPE_CHECKING:
    from prs_otel.monitoring.documents.trends import TrendQuery
    from prs_otel.rollup.view import MetricsView

POINTS: Final = 100
"""How many columns the map has at most when nobody says how wide they are."""


def latency(view: MetricsView, asked: TrendQuery, *, now: float) -> Latency:
    """Return the map of the requests that are asked for; raises `StoreError`."""
    step = asked.step or math.ceil(asked.seconds / POINTS)
    trend = view.trend(asked.selection, seconds=asked.seconds, step=step, now=now)
    columns = [banded(point.requests.cell.bins) for point in trend.points]
    bands = span(columns)
    return Latency(
        window=shown.stretch_document(
            trend.stretch.since,
            trend.stretch.until,
            known_since=trend.stretch.known_since,
        ),
        endpoint=asked.selection.endpoint,
        organization_id=asked.selection.organization_id,
        step=trend.step,
        is_covered=not trend.is_folded and is_counted(asked.selection),
        bounds=edges(bands),
        points=[
            LatencyPoint(
                time=shown.utc(point.start),
                covered_seconds=point.covered_seconds,
                counts=[column.get(band, 0) for band in bands]
                if point.is_known
                else None,
            )
            for point, column in zip(trend.points, columns, strict=True)
        ],
    )
