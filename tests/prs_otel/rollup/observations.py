from __future__ import annotations

from prs_otel.observation import CallSite, Observation, RequestContext
from prs_otel.request_context import TaskContext
from prs_otel.rollup import series


def request(
    *,
    endpoint: str = "/deals/",
    method: str = "GET",
    duration: int = 1_000_000,
    is_error: bool = False,
    is_slow: bool = False,
    at: float = 1_000.0,
    context: RequestContext | None = None,
    trace_id: int = 1,
    span_id: int = 2,
) -> Observation:
    """Return the observation of a request; times: `duration` ns, `at` epoch seconds."""
    if context is None:
        context = finished_context(endpoint=endpoint, method=method)
    return Observation(
        series.REQUEST,
        (endpoint, method),
        duration,
        is_error,
        is_slow,
        int(at * 1e9),
        trace_id,
        span_id,
        context,
        None,
    )


def query(
    *,
    fingerprint: str = "f1",
    duration: int = 1_000_000,
    is_error: bool = False,
    is_slow: bool = False,
    at: float = 1_000.0,
    context: RequestContext | None = None,
    code: CallSite | None = None,
) -> Observation:
    """Return the observation of a query; times: `duration` ns, `at` epoch seconds."""
    return Observation(
        series.QUERY,
        ("default", fingerprint),
        duration,
        is_error,
        is_slow,
        int(at * 1e9),
        1,
        3,
        context,
        code,
    )


def finished_context(
    *,
    endpoint: str = "/deals/",
    method: str = "GET",
    organization_id: str | None = None,
    user_id: str | None = None,
) -> RequestContext:
    context = RequestContext()
    context.route, context.method, context.status_code = endpoint, method, 200
    context.organization_id, context.user_id = organization_id, user_id
    context.is_finished = True
    return context


def task(
    context: TaskContext, *, duration: int = 1_000_000, is_error: bool = False
) -> Observation:
    """Return the observation of a task that took `duration` nanoseconds."""
    labels = (context.name, context.kind)
    at = int(1_000.0 * 1e9)
    return Observation(
        series.TASK, labels, duration, is_error, False, at, 1, 4, context, None
    )
