"""Make the spans of queries and requests that the application has timed by itself."""

from __future__ import annotations

from contextvars import copy_context
from dataclasses import dataclass
from time import time_ns
from typing import TYPE_CHECKING, Any, Final

from django.db import DEFAULT_DB_ALIAS, connections
from opentelemetry import trace
from opentelemetry.trace import SpanKind, Status, StatusCode

import prs_otel
from prs_otel import conf
from prs_otel.instrumentation import database, requests
from prs_otel.instrumentation.measuring import EXPECTED, UNMEASURED, current_block, mode
from prs_otel.instrumentation.query_observer import Outcome
from prs_otel.instrumentation.request_span import describe, request_span_name
from prs_otel.instrumentation.statements import Description, Descriptions, of_function
from prs_otel.observation import Observation, current_request
from prs_otel.request_context import RequestContext, TenantContext
from prs_otel.rollup import series
from prs_otel.semconv import (
    ERROR_TYPE,
    HTTP_REQUEST_METHOD,
    HTTP_RESPONSE_STATUS_CODE,
    MANUAL_SCOPE,
    PRS_TENANT_ID,
)

if TYPE_CHECKING:
    from opentelemetry.trace import Span, Tracer

    from prs_otel.instrumentation.query_observer import QueryObserver

SERVER_ERROR: Final = 500

# Apart from those of automatic queries: these may be described before anything is connected.
_descriptions = Descriptions(lambda fingerprint, text: None)


@dataclass(frozen=True, slots=True)
class RecordedQuery:
    """A query that has ended now and took `duration` nanoseconds.

    It is known by its SQL, or by a name where it `is_function`.
    """

    text: str
    duration: int
    organization_id: str | None = None
    failure: BaseException | None = None
    is_function: bool = False


@dataclass(frozen=True, slots=True)
class RecordedRequest:
    """A request that has ended now and took `duration` nanoseconds."""

    endpoint: str
    method: str
    status_code: int
    duration: int
    organization_id: str | None = None
    user_id: str | None = None


def record_query(query: RecordedQuery) -> None:
    """Let a query take the path of those that are measured automatically."""
    observer = database.observer()
    if observer is None or mode.get() == UNMEASURED:
        return
    connection = connections[DEFAULT_DB_ALIAS]
    if query.is_function:
        described = of_function(query.text, connection)
    else:
        described = _descriptions.of(query.text, connection)
    observer.remember(described.fingerprint, described.attributes["db.query.text"])
    end = time_ns()
    times = end - query.duration, end
    outcome = Outcome(1, query.failure, mode.get() == EXPECTED)
    if query.organization_id is None or not conf.current().track_organizations:
        observer.emit(described, times, outcome)
    else:
        _emit_for(query.organization_id, observer, described, times, outcome)


def record_request(request: RecordedRequest) -> None:
    """Let a request take the path of those that are measured automatically."""
    # In a context of its own: the request that is running must not notice.
    copy_context().run(_emit_request, request)


def tracer() -> Tracer:
    """Return the tracer of what the application measures by itself."""
    return trace.get_tracer(MANUAL_SCOPE, prs_otel.__version__)


def set_status(span: Span, status_code: int, failure: str | None = None) -> None:
    """Say on a request's span how it ended; a failure is the name of an exception's class."""
    span.set_attribute(HTTP_RESPONSE_STATUS_CODE, status_code)
    if status_code >= SERVER_ERROR:
        span.set_attribute(ERROR_TYPE, failure or str(status_code))
        span.set_status(Status(StatusCode.ERROR))


def _emit_for(
    organization_id: str,
    observer: QueryObserver,
    described: Description,
    times: tuple[int, int],
    outcome: Outcome,
) -> None:
    """Emit a query of an organisation's, which need not be that of the request around it."""
    stand_in = TenantContext(organization_id)
    request = current_request.get()
    if request is not None and not request.is_finished:
        stand_in.stand_in_for(request)
        duration = times[1] - times[0]
        request.add_query(
            described.fingerprint,
            duration,
            is_slow=duration > observer.thresholds().slow_query,
            is_expected=outcome.is_expected,
            is_of_tenant=False,
        )
    attributes = {**described.attributes, PRS_TENANT_ID: organization_id}
    block = current_block.get()
    if block is not None:
        block.has_queries = True
    token = current_request.set(stand_in)
    try:
        observer.emit(described._replace(attributes=attributes), times, outcome)
    finally:
        stand_in.is_finished = True
        current_request.reset(token)
    _count_for(organization_id, times, outcome, observer.thresholds().slow_query)


def _count_for(
    organization_id: str, times: tuple[int, int], outcome: Outcome, slow: int
) -> None:
    hooks = requests.hooks()
    if hooks is not None:
        duration = times[1] - times[0]
        is_error = outcome.failure is not None
        observation = Observation(
            kind=series.ORGANIZATION_QUERY,
            labels=(organization_id,),
            duration=duration,
            is_error=is_error,
            is_slow=duration > slow,
            at=times[1],
            trace_id=0,
            span_id=0,
            request=None,
            code=None,
        )
        hooks.record(observation)


def _emit_request(request: RecordedRequest) -> None:
    current_request.set(None)
    end = time_ns()
    attributes: dict[str, Any] = {HTTP_REQUEST_METHOD: request.method}
    span = tracer().start_span(
        request_span_name(request.method, request.endpoint),
        kind=SpanKind.SERVER,
        attributes=attributes,
        start_time=end - request.duration,
    )
    context = current_request.get() or RequestContext()
    context.method, context.route = request.method, request.endpoint
    context.status_code = request.status_code
    tracked = conf.current()
    context.organization_id = (
        request.organization_id if tracked.track_organizations else None
    )
    context.user_id = request.user_id if tracked.track_users else None
    describe(span, context)
    set_status(span, request.status_code)
    span.end(end)
