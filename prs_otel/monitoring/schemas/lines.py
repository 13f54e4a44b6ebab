"""The document of `api/trends/`."""

from __future__ import annotations

from datetime import datetime

from prs_otel.monitoring.schemas.document import Document
from prs_otel.monitoring.schemas.figures import WindowDocument


class EndpointTrend(Document):
    """One endpoint over time, a figure for each of `times`; null is what nobody measured."""

    endpoint: str
    method: str
    counts: list[int | None]
    error_counts: list[int | None]
    mean_durations: list[float | None]


class EndpointTrends(Document):
    """The endpoints that took most time; `count` is how many there are."""

    window: WindowDocument
    step: int
    times: list[datetime]
    items: list[EndpointTrend]
    count: int
