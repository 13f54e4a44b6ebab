"""The document of `performance/latency/`."""

from __future__ import annotations

from datetime import datetime

from prs_otel.monitoring.schemas.document import Document
from prs_otel.monitoring.schemas.figures import WindowDocument


class LatencyPoint(Document):
    """How many requests of one step took how long, band by band; null where nobody measured."""

    time: datetime
    covered_seconds: float
    counts: list[int] | None


class Latency(Document):
    """A map of time against duration, oldest first.

    `bounds` are the edges of the bands in seconds, ascending, one more than each `counts` has;
    a band is half an octave. `is_covered` as in trends.
    """

    window: WindowDocument
    endpoint: str | None
    organization_id: str | None
    step: int
    is_covered: bool
    bounds: list[float]
    points: list[LatencyPoint]
