"""A store that holds what a test says was measured, and the view that reads it."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from prs_otel.instrumentation.n_plus_one import Finding
from prs_otel.observation import CallSite, Observation, RequestContext
from prs_otel.publisher import Publisher, Texts
from prs_otel.request_context import TaskContext
from prs_otel.rollup import series
from prs_otel.rollup.recorder import Rollup
from prs_otel.rollup.view import MetricsView
from prs_otel.store import open_store
from prs_otel.store.base import Beat

NS: Final = 1_000_000_000
SLOW_REQUEST: Final = 2.0
SLOW_QUERY: Final = 1.0
SLOW_TASK: Final = 60.0


@dataclass(frozen=True, slots=True)
class Whose:
    """The request that something belongs to."""

    endpoint: str | None = "/deals/"
    organization_id: str | None = None
    user_id: str | None = None


@dataclass(slots=True)
class Measured:
    """Record through the real rollup, publisher, store and view, all in this process.

    What was recorded is visible after `flush()`, at `now`.
    """

    now: float
    series_limit: int = 2_000
    host: str = "web-1"
    pid: int = 4_000
    rollup: Rollup = field(init=False)
    view: MetricsView = field(init=False)
    texts: Texts = field(init=False)
    _publisher: Publisher = field(init=False)
    _spans: int = 0

    def __post_init__(self) -> None:
        self.view = MetricsView(
            open_store(f"memory://{uuid.uuid4().hex}"),
            series_limit=self.series_limit,
            new_lock=threading.Lock,
        )
        self.texts = Texts()
        self.restart()

    def restart(self) -> None:
        """Go on as another worker on the same store."""
        start = self.now - 10
        self.rollup = Rollup(
            series_limit=self.series_limit, new_lock=threading.Lock, now=start
        )
        beat = Beat(uuid.uuid4().hex, self.host, self.pid, start, self.now, {}, {})
        self._publisher = Publisher(self.rollup, self.view.store, self.texts, beat=beat)

    def request(
        self,
        seconds: float = 0.1,
        *,
        whose: Whose = Whose(),
        method: str = "GET",
        status: int = 200,
        queries: Sequence[float] = (),
        findings: Sequence[Finding] = (),
    ) -> None:
        """Count a request that ran queries of these durations (seconds)."""
        context = _context(whose)
        context.method, context.status_code = method, status
        context.findings = tuple(findings)
        context.keeps_outcomes = True
        for duration in queries:
            is_slow = duration > SLOW_QUERY
            context.add_query("of-request", int(duration * NS), is_slow=is_slow)
        labels = (context.endpoint or "", method)
        is_slow = seconds > SLOW_REQUEST
        self._record(
            series.REQUEST, labels, seconds, status >= 500, is_slow, context, None
        )

    def query(
        self,
        seconds: float = 0.01,
        *,
        text: str = "SELECT ?",
        alias: str = "default",
        is_error: bool = False,
        whose: Whose | None = None,
        code: CallSite | None = None,
    ) -> None:
        """Count a query; its fingerprint is its text without `SELECT `."""
        fingerprint = text.removeprefix("SELECT ")
        self.texts.remember(fingerprint, text)
        context = None if whose is None else _context(whose)
        is_slow = seconds > SLOW_QUERY
        self._record(
            series.QUERY,
            (alias, fingerprint),
            seconds,
            is_error,
            is_slow,
            context,
            code,
        )

    def task(
        self,
        seconds: float = 0.1,
        *,
        name: str = "shop.bill",
        kind: str = "celery",
        is_error: bool = False,
        queries: Sequence[float] = (),
        findings: Sequence[Finding] = (),
    ) -> None:
        """Count a task that ran queries of these durations (seconds)."""
        context = TaskContext(kind, name)
        context.findings, context.is_finished = tuple(findings), True
        for duration in queries:
            is_slow = duration > SLOW_QUERY
            context.add_query("of-task", int(duration * NS), is_slow=is_slow)
        is_slow = seconds > SLOW_TASK
        self._record(
            series.TASK, (name, kind), seconds, is_error, is_slow, context, None
        )

    def gauge(self, name: str, value: float, *, host: str = "web-1") -> None:
        """Note a reading of a host."""
        self.rollup.gauge(name, value, (host,), self.now)

    def flush(
        self,
        figures: Mapping[str, float] | None = None,
        failures: Mapping[str, int] | None = None,
    ) -> MetricsView:
        """Hand everything over with a beat; return the view."""
        self._publisher.flush(self.now, figures=figures or {}, failures=failures or {})
        return self.view

    def _record(
        self,
        kind: str,
        labels: tuple[str, ...],
        seconds: float,
        is_error: bool,
        is_slow: bool,
        context: RequestContext | None,
        code: CallSite | None,
    ) -> None:
        self._spans += 1
        self.rollup.record(
            Observation(
                kind=kind,
                labels=labels,
                duration=round(seconds * NS),
                is_error=is_error,
                is_slow=is_slow,
                at=round((self.now - 1) * NS),
                trace_id=self._spans,
                span_id=self._spans,
                request=context,
                code=code,
            )
        )


def _context(whose: Whose) -> RequestContext:
    context = RequestContext()
    context.route = whose.endpoint
    context.organization_id = whose.organization_id
    context.user_id = whose.user_id
    context.is_finished = True
    return context
