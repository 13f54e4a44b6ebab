"""``performance_monitor``: record figures of one's own, and read all of them."""

from __future__ import annotations

import socket
import time
import uuid
from typing import TYPE_CHECKING, Any, Final

from prs_otel.guard import guarded
from prs_otel.manual import arguments, readiness

if TYPE_CHECKING:
    from uuid import UUID

    from pydantic import BaseModel

    from prs_otel.rollup.view import MetricsView

    Id = int | str | UUID | None

_FLUSH_PATIENCE: Final = 1.0


class PerformanceMonitor:
    """Record and read from anywhere: requests, tasks, commands. Thread-safe.

    What is recorded takes the path of what is measured automatically. While monitoring is
    switched off, and in a project's own test run, nothing is recorded, and read is emptiness.
    """

    def record_query_performance(
        self, *, query: str, execution_time: float, organization_id: Id = None
    ) -> None:
        """Count a query that has just ended; its literals are hidden.

        Seconds. Raises `TypeError` or `ValueError` for what cannot be recorded.
        """
        if not readiness.is_measuring():
            return
        from prs_otel.instrumentation.recorded import RecordedQuery, record_query

        recorded = RecordedQuery(
            text=arguments.text("query", query, such_as="SELECT …"),
            duration=arguments.nanoseconds("execution_time", execution_time),
            organization_id=arguments.identity("organization_id", organization_id),
        )
        with guarded("manual.record_query"):
            record_query(recorded)

    def record_api_performance(  # noqa: PLR0913 - what a request is known by
        self,
        *,
        endpoint: str,
        method: str,
        response_time: float,
        status_code: int,
        organization_id: Id = None,
        user_id: Id = None,
    ) -> None:
        """Count a request that has just ended, beside the one that may be running.

        Seconds. Raises `TypeError` or `ValueError` for what cannot be recorded.
        """
        if not readiness.is_measuring():
            return
        from prs_otel.instrumentation.recorded import RecordedRequest, record_request
        from prs_otel.observation import known_method

        verb = arguments.text("method", method, such_as="GET")
        recorded = RecordedRequest(
            endpoint=arguments.endpoint("endpoint", endpoint),
            method=known_method(verb.strip().upper()),
            status_code=arguments.status_code("status_code", status_code),
            duration=arguments.nanoseconds("response_time", response_time),
            organization_id=arguments.identity("organization_id", organization_id),
            user_id=arguments.identity("user_id", user_id),
        )
        with guarded("manual.record_request"):
            record_request(recorded)

    def record_metric(self, name: str, value: float) -> None:
        """Note a reading of the host's, which rules and conditions know by its name.

        The latest of five minutes counts. Raises `TypeError` or `ValueError` for what
        cannot be recorded.
        """
        if not readiness.is_measuring():
            return
        known = arguments.metric_name("name", name)
        number = arguments.metric_value("value", value)
        with guarded("manual.record_metric"):
            from prs_otel import pipeline

            rollup = pipeline.current().rollup
            rollup.gauge(known, number, (socket.gethostname(),), time.time())

    def get_performance_summary(self, hours: float = 24) -> dict[str, Any]:
        """Return the document of `performance/summary/`; raises `StoreError`."""
        from prs_otel.monitoring import documents

        span = arguments.hours("hours", hours)
        return _json(documents.summary(_view(), hours=span, now=time.time()))

    def get_performance_trends(self, hours: float = 24) -> dict[str, Any]:
        """Return the document of `performance/trends/`; raises `StoreError`."""
        from prs_otel.monitoring import documents
        from prs_otel.rollup.digest import Selection

        seconds = arguments.hours("hours", hours) * 3_600
        asked = documents.TrendQuery(Selection(), seconds=seconds)
        return _json(documents.trends(_view(), asked, now=time.time()))

    def get_slow_queries(
        self, limit: int = 50, hours: float = 24
    ) -> list[dict[str, Any]]:
        """Return the slowest queries, slowest first; raises `StoreError`."""
        from prs_otel.monitoring import documents

        asked = documents.SampleQuery(
            seconds=arguments.hours("hours", hours) * 3_600,
            limit=arguments.limit("limit", limit),
        )
        items = documents.slow_queries(_view(), asked, now=time.time()).items
        return [_json(item) for item in items]

    def get_slow_api_calls(
        self, limit: int = 50, hours: float = 24
    ) -> list[dict[str, Any]]:
        """Return the slowest requests, slowest first; raises `StoreError`."""
        from prs_otel.monitoring import documents

        asked = documents.SampleQuery(
            seconds=arguments.hours("hours", hours) * 3_600,
            limit=arguments.limit("limit", limit),
        )
        items = documents.slow_calls(_view(), asked, now=time.time()).items
        return [_json(item) for item in items]

    def cleanup(self) -> dict[str, Any]:
        """Drop what is too old or too much, and say how much that was; raises `StoreError`."""
        return _maintained("cleanup")

    def reset_counters(self) -> dict[str, Any]:
        """Let every figure of all processes start from zero; say how much was dropped.

        Takes a second or two, in which they are told. Raises `StoreError`.
        """
        return _maintained("reset_counters")


performance_monitor = PerformanceMonitor()


def _view() -> MetricsView:
    """Return the view of all workers, with what this process has just recorded."""
    from prs_otel import pipeline

    if readiness.is_measuring():
        pipeline.flush(_FLUSH_PATIENCE)
        return pipeline.view()
    return _empty_view()


def _maintained(action: str) -> dict[str, Any]:
    """Return the document of `maintenance/`."""
    from prs_otel.monitoring import documents

    return _json(documents.ACTIONS[action](_view(), now=time.time()))


def _empty_view() -> MetricsView:
    from prs_otel import native
    from prs_otel.rollup.view import MetricsView
    from prs_otel.store.memory import MemoryStore

    store = MemoryStore(f"memory://{uuid.uuid4().hex}")
    return MetricsView(store, series_limit=1, new_lock=native.allocate_lock)


def _json(document: BaseModel) -> dict[str, Any]:
    return document.model_dump(mode="json")
