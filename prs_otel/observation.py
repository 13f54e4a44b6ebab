"""What one request, query, task or cache call tells us, as the rollup counts it."""

# `Readable` tells why private attributes are read here.
# ruff: noqa: SLF001

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol, Self

from prs_otel.request_context import (
    OTHER_METHOD,
    CallSite,
    Repeat,
    RequestContext,
    current_request,
    finish,
)
from prs_otel.rollup import series
from prs_otel.semconv import (
    CODE_FILE_PATH,
    CODE_FUNCTION_NAME,
    CODE_LINE_NUMBER,
    ERROR_TYPE,
    HTTP_REQUEST_METHOD,
    HTTP_RESPONSE_STATUS_CODE,
    HTTP_ROUTE,
    OLD_HTTP_METHOD,
    OLD_HTTP_STATUS_CODE,
    PRS_DB_ALIAS,
    PRS_QUERY_FINGERPRINT,
)

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan

    from prs_otel.conf import MonitoringSettings

__all__ = [
    "CallSite",
    "Observation",
    "Repeat",
    "RequestContext",
    "Thresholds",
    "current_request",
    "finish",
    "known_method",
    "times",
    "with_slash",
]

NANOSECONDS: Final = 1_000_000_000
LATEST: Final = (
    2**62
)  # ns; beyond it a clock is absurd, and sums could overflow 64 bits
METHODS: Final = frozenset(
    ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT")
)
SERVER_ERROR: Final = 500

_new = tuple.__new__  # a NamedTuple's own constructor costs twice as much

# A global of this module is found sooner than an attribute of another.
_QUERY, _REQUEST, _UNRESOLVED = series.QUERY, series.REQUEST, series.UNRESOLVED


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Beyond what something is slow or repeated; durations are integer nanoseconds."""

    slow_query: int = 1 * NANOSECONDS
    slow_request: int = 2 * NANOSECONDS
    slow_task: int = 60 * NANOSECONDS
    n_plus_one_count: int = 5
    n_plus_one_duration: int = NANOSECONDS // 20

    @classmethod
    def of(cls, settings: MonitoringSettings) -> Self:
        """Return the thresholds that `settings` state in seconds."""
        return cls(
            slow_query=int(settings.slow_query_threshold * NANOSECONDS),
            slow_request=int(settings.slow_api_threshold * NANOSECONDS),
            slow_task=int(settings.slow_task_threshold * NANOSECONDS),
            n_plus_one_count=settings.n_plus_one_threshold,
            n_plus_one_duration=int(settings.n_plus_one_min_duration * NANOSECONDS),
        )


class Observation(NamedTuple):
    """One measured thing, as the rollup counts it.

    Labels are (endpoint, method) of a request, (alias, fingerprint) of a query, (name,
    kind) of a task, (alias,) of a cache call. Durations and times are integer nanoseconds, clamped to
    0..2**62 whatever a clock says.
    """

    kind: str
    labels: tuple[str, ...]
    duration: int
    is_error: bool
    is_slow: bool
    at: int
    trace_id: int
    span_id: int
    request: RequestContext | None
    code: CallSite | None

    @classmethod
    def from_span(
        cls,
        span: ReadableSpan,
        thresholds: Thresholds,
        *,
        request: RequestContext | None = None,
    ) -> Observation | None:
        """Return what a request's or query's span tells, `None` if it is neither.

        A request that never got a response (its client left) is no observation.
        """
        readable = PublicSpan(span)
        if PRS_QUERY_FINGERPRINT in readable._attributes:
            return of_query(readable, thresholds.slow_query, request)
        return of_request(readable, thresholds.slow_request, request)


class Readable(Protocol):
    """The attributes behind the properties of the SDK's `ReadableSpan`.

    A property costs three times what an attribute does, and `attributes` makes a new
    proxy each time it is read: on the hot path that is half of what we may spend.
    """

    _attributes: Any
    _context: Any
    _start_time: Any
    _end_time: Any


class PublicSpan:
    """Stands for a span whose attributes are elsewhere than they are in the SDK."""

    __slots__ = ("_attributes", "_context", "_end_time", "_start_time")

    def __init__(self, span: ReadableSpan) -> None:
        self._attributes: Any = span.attributes or {}
        self._context: Any = span.context
        self._start_time: Any = span.start_time
        self._end_time: Any = span.end_time


def of_query(span: Readable, slow: int, request: RequestContext | None) -> Observation:
    """Return the observation of a span that our database instrumentation made."""
    attributes, context = span._attributes, span._context
    start, end = span._start_time, span._end_time
    if not (type(start) is type(end) is int and 0 <= start <= end <= LATEST):
        start, end = _fit(start, end)
    duration = end - start
    is_slow = duration > slow
    return _new(
        Observation,
        (
            _QUERY,
            (attributes[PRS_DB_ALIAS], attributes[PRS_QUERY_FINGERPRINT]),
            duration,
            ERROR_TYPE in attributes,
            is_slow,
            end,
            context[0],
            context[1],
            request,
            _code(attributes) if is_slow else None,
        ),
    )


def of_request(
    span: Readable, slow: int, request: RequestContext | None
) -> Observation | None:
    """Return the observation of a server span, `None` if no response was made."""
    if request is None or not request.status_code:
        request = _described(request or RequestContext(), span._attributes)
        if not request.status_code:
            return None
    context, start, end = span._context, span._start_time, span._end_time
    if not (type(start) is type(end) is int and 0 <= start <= end <= LATEST):
        start, end = _fit(start, end)
    duration, route = end - start, request.route
    return _new(
        Observation,
        (
            _REQUEST,
            (_UNRESOLVED if route is None else route, request.method),
            duration,
            request.status_code >= SERVER_ERROR,
            duration > slow,
            end,
            context[0],
            context[1],
            request,
            request.failed_at,
        ),
    )


def times(start: object, end: object) -> tuple[int, int]:
    """Return duration and end, fit for arithmetic whatever the clock said."""
    start, end = _fit(start, end)
    return end - start, end


def with_slash(route: str) -> str:
    """Return a Django route as we spell it everywhere: with its leading slash."""
    route = route.removeprefix("^")
    return route if route.startswith("/") else "/" + route


def known_method(method: str | None) -> str:
    """Return the HTTP method if it is one, so that clients cannot invent series."""
    return method if method in METHODS else OTHER_METHOD


def _fit(start: object, end: object) -> tuple[int, int]:
    """Return the times of a span as whole nanoseconds within bounds, in their order."""
    last = _nanoseconds(end)
    first = _nanoseconds(start)
    if first is None or last is None or first > last:
        first = last = last or 0
    return first, last


def _nanoseconds(value: object) -> int | None:
    if not isinstance(value, int | float) or math.isnan(value):
        return None
    return int(min(max(value, 0), LATEST))


def _code(attributes: Mapping[str, Any]) -> CallSite | None:
    if CODE_FILE_PATH not in attributes:
        return None
    return CallSite(
        attributes[CODE_FILE_PATH],
        attributes.get(CODE_LINE_NUMBER, 0),
        attributes.get(CODE_FUNCTION_NAME, ""),
    )


def _described(
    request: RequestContext, attributes: Mapping[str, Any]
) -> RequestContext:
    """Fill in, from either generation of the conventions, what no hook has told."""
    status = attributes.get(HTTP_RESPONSE_STATUS_CODE) or attributes.get(
        OLD_HTTP_STATUS_CODE
    )
    request.status_code = status if isinstance(status, int) else 0
    method = attributes.get(HTTP_REQUEST_METHOD) or attributes.get(OLD_HTTP_METHOD)
    request.method = known_method(method)
    route = attributes.get(HTTP_ROUTE)
    if request.route is None and isinstance(route, str):
        request.route = with_slash(route)
    return request
