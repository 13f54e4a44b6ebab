"""The slowest queries and requests, with what is needed to find their cause."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from prs_otel.monitoring.documents.figures import stretch_document, utc
from prs_otel.monitoring.schemas import (
    CodeLocation,
    SlowCall,
    SlowCalls,
    SlowQueries,
    SlowQuery,
    WindowDocument,
)
from prs_otel.rollup import series

if TYPE_CHECKING:
    from prs_otel.rollup.sample import Sample
    from prs_otel.rollup.view import MetricsView

KEPT: Final = 100
"""How many there are to page through: every bucket keeps its slowest hundred, so what
comes after them in a whole window would no longer be certain."""


@dataclass(frozen=True, slots=True)
class SampleQuery:
    """Say which samples are asked for; None means all of them."""

    seconds: float
    limit: int = 50
    offset: int = 0
    organization_id: str | None = None
    endpoint: str | None = None
    fingerprint: str | None = None
    is_of_staff: bool = False

    @property
    def shows_text(self) -> bool:
        """Tell whether the statements themselves may be shown."""
        return self.is_of_staff or self.organization_id is None

    def matches(self, sample: Sample) -> bool:
        """Tell whether a sample is among those asked for."""
        return (
            self.organization_id in (None, sample.organization_id)
            and self.endpoint in (None, sample.endpoint)
            and self.fingerprint in (None, sample.fingerprint)
        )


def slow_queries(view: MetricsView, asked: SampleQuery, *, now: float) -> SlowQueries:
    """Return a page of the slowest queries; raises `StoreError`.

    The text of a statement is for those who see everything.
    """
    kept = _slowest(view, series.QUERY, asked, now=now)
    page = _page(kept, asked)
    texts: Mapping[str, str] = {}
    if asked.shows_text:
        texts = view.texts([sample.fingerprint for sample in page])
    items = [_slow_query(sample, texts.get(sample.fingerprint)) for sample in page]
    return SlowQueries(window=_window(view, asked, now), items=items, count=len(kept))


def slow_calls(view: MetricsView, asked: SampleQuery, *, now: float) -> SlowCalls:
    """Return a page of the slowest requests; raises `StoreError`."""
    kept = _slowest(view, series.REQUEST, asked, now=now)
    items = [_slow_call(sample) for sample in _page(kept, asked)]
    return SlowCalls(window=_window(view, asked, now), items=items, count=len(kept))


def _slowest(
    view: MetricsView, kind: str, asked: SampleQuery, *, now: float
) -> list[Sample]:
    return view.slowest(
        kind, limit=KEPT, seconds=asked.seconds, now=now, matches=asked.matches
    )


def _window(view: MetricsView, asked: SampleQuery, now: float) -> WindowDocument:
    with view.store.reading() as reader:
        known_since = reader.known_since
    return stretch_document(now - asked.seconds, now, known_since=known_since)


def _page(samples: list[Sample], asked: SampleQuery) -> list[Sample]:
    return samples[asked.offset : asked.offset + asked.limit]


def _slow_query(sample: Sample, query: str | None) -> SlowQuery:
    return SlowQuery(
        query=query,
        fingerprint=sample.fingerprint,
        duration=sample.duration,
        endpoint=sample.endpoint,
        task=sample.task,
        organization_id=sample.organization_id,
        code=_code(sample),
        trace_id=sample.trace_id,
        span_id=sample.span_id,
        time=utc(sample.at),
    )


def _slow_call(sample: Sample) -> SlowCall:
    return SlowCall(
        endpoint=sample.endpoint or series.UNRESOLVED,
        method=sample.method,
        status_code=sample.status_code,
        duration=sample.duration,
        query_count=sample.query_count,
        query_duration=sample.query_duration,
        organization_id=sample.organization_id,
        user_id=sample.user_id,
        trace_id=sample.trace_id,
        time=utc(sample.at),
    )


def _code(sample: Sample) -> CodeLocation | None:
    if sample.code is None:
        return None
    return CodeLocation(**sample.code._asdict())
