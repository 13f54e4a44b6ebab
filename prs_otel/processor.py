"""Turn every span that ends into an observation, on the thread that ended it.

Of the spans only those of requests, of tasks and of our own query instrumentation count.
The processor never raises: the SDK would let it pass into the application.
"""

# The hot path reads the attributes behind the SDK's properties, at a third of the cost;
# `_SPANS_ARE_OPEN` tells whether they are there.
# ruff: noqa: SLF001

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from opentelemetry import trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor
from opentelemetry.trace import SpanKind, TraceFlags

from prs_otel import guard, keeping, quotations
from prs_otel.observation import (
    Observation,
    PublicSpan,
    Readable,
    RequestContext,
    Thresholds,
    current_request,
    of_query,
    of_request,
)
from prs_otel.sampling import record_all_spans
from prs_otel.semconv import DJANGO_SCOPE, QUERY_SCOPE
from prs_otel.tasks import Tasks

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.sdk.trace import Span

_SERVER: Final = SpanKind.SERVER
_CLIENT: Final = SpanKind.CLIENT
_INTERNAL: Final = SpanKind.INTERNAL
_CONSUMER: Final = SpanKind.CONSUMER
_PRODUCER: Final = SpanKind.PRODUCER
_SAMPLED: Final = TraceFlags.SAMPLED


# Whether a span's attributes are where every SDK so far has kept them.
_SPANS_ARE_OPEN: Final = {
    "_attributes",
    "_context",
    "_end_time",
    "_instrumentation_scope",
    "_kind",
    "_parent",
    "_start_time",
} <= vars(ReadableSpan("", resource=Resource.get_empty())).keys()


def _conclude_nothing(context: RequestContext, thresholds: Thresholds) -> None:
    """Leave a task as it is."""


class DerivedMetricsProcessor(SpanProcessor):
    """Record what requests, queries and tasks were.

    `thresholds` may be replaced at any time; `conclude` looks at each task that ends.
    """

    # A query's span may be handed over finished, without a start.
    ignores_query_start: Final = True

    def __init__(
        self,
        record: Callable[[Observation], object],
        *,
        thresholds: Thresholds,
        conclude: Callable[[RequestContext, Thresholds], object] = _conclude_nothing,
    ) -> None:
        self.record = record
        self.thresholds = thresholds
        self.tasks = Tasks(conclude)
        self.attached_to: object = None
        # Scopes are compared by identity: their names are behind two properties.
        self._query_scope: object = None
        self._other_scope: object = None
        if not _SPANS_ARE_OPEN:
            self.on_end = self._end_by_properties  # type: ignore[method-assign]

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """Begin the context of a request or a task with its span."""
        try:
            kind = span.kind
            if kind is _SERVER or (
                kind is _INTERNAL
                and span.instrumentation_scope is not self._other_scope
                and _scope_name(span) == DJANGO_SCOPE
            ):
                _begin(span, _scope_name(span))
            elif kind is _INTERNAL or kind is _CONSUMER:
                parent = span.parent
                if parent is None or parent.is_remote:
                    self.tasks.begin(span)
        except Exception:  # noqa: BLE001 - the guard logs and counts it
            guard.failed("processor.on_start")

    def _on_ending(self, span: Span) -> None:
        """Take from a span, before anybody is handed it, what a database said."""
        try:
            if span._events or span._status.description is not None:
                quotations.redact(span)
        except Exception:  # noqa: BLE001 - the guard logs and counts it
            guard.failed("processor.on_ending")

    def on_end(self, span: ReadableSpan) -> None:
        """Record a request, a query or a task that has ended."""
        try:
            kind = span._kind
            if kind is _CLIENT:
                if span._instrumentation_scope is self._query_scope:
                    self._end_query(span)
                elif span._instrumentation_scope is not self._other_scope:
                    self._meet(span)
            elif kind is _SERVER:
                self._end_request(span)
            elif kind is not _PRODUCER:
                parent = span._parent
                is_root = parent is None or parent[2]  # is_remote
                if is_root or span._instrumentation_scope is not self._other_scope:
                    self._end_other(span, is_root=is_root)
        except Exception:  # noqa: BLE001 - the guard logs and counts it
            guard.failed("processor.on_end")

    def _end_other(self, span: ReadableSpan, *, is_root: bool) -> None:
        if not (is_root and self._end_task(span)):
            self._meet(span)

    def _end_task(self, span: ReadableSpan) -> bool:
        observation = self.tasks.end(span, self.thresholds)
        if observation is None:
            return False
        context = span.context
        if context is not None and not context.trace_flags & _SAMPLED:
            observation = keeping.judged(observation)
        self.record(observation)
        return True

    def _end_query(self, span: Readable) -> None:
        request = current_request.get()
        if request is not None and request.is_finished:
            request = None
        observation = of_query(span, self.thresholds.slow_query, request)
        if not span._context[3] & _SAMPLED:
            observation = keeping.judged(observation)
        self.record(observation)

    def _end_request(self, span: Readable) -> None:
        request = current_request.get()
        if request is not None:
            span_id = span._context[1]
            if span_id == request.outer_span_id:
                # The server's own span around the one that stood for the request.
                current_request.set(None)
                return
            if request.is_finished or request.span_id != span_id:
                request = None
        observation = of_request(span, self.thresholds.slow_request, request)
        if request is not None:
            if request.is_streaming and observation is not None:
                request.pending = observation
                return
            # finish(request), of which we know that it is current
            request.is_finished = True
            if not request.outer_span_id:
                current_request.set(request.outer)
                request.outer = None
        if observation is not None:
            self.record(_judged(span, observation))

    def _meet(self, span: ReadableSpan) -> None:
        """End a span of a scope seen for the first time, or not last."""
        name = _scope_name(span)
        if name == DJANGO_SCOPE:
            self._end_request(span)
        elif name == QUERY_SCOPE:
            self._query_scope = span.instrumentation_scope
            self._end_query(span)
        else:
            self._other_scope = span.instrumentation_scope

    def _end_by_properties(self, span: ReadableSpan) -> None:
        """Do the same by public means, should the SDK keep its attributes elsewhere."""
        try:
            name = _scope_name(span)
            if name == QUERY_SCOPE:
                self._end_query(PublicSpan(span))
            elif name == DJANGO_SCOPE or span.kind is _SERVER:
                self._end_request(PublicSpan(span))
            else:
                self._end_task(span)
        except Exception:  # noqa: BLE001 - the guard logs and counts it
            guard.failed("processor.on_end")


def _judged(span: Readable, observation: Observation) -> Observation:
    is_sampled = span._context[3] & _SAMPLED
    return observation if is_sampled else keeping.judged(observation)


def attach(processor: DerivedMetricsProcessor, provider: object = None) -> bool:
    """Add `processor`, once, to a provider: by default the application's own.

    Return whether the provider takes processors; before one is set it does not.
    """
    if provider is None:
        provider = trace.get_tracer_provider()
    add = getattr(provider, "add_span_processor", None)
    if add is None:
        return False
    record_all_spans(provider)
    if processor.attached_to is not provider:
        add(processor)
        processor.attached_to = provider
    return True


def _begin(span: Span, scope: str) -> None:
    context = span.context
    around = current_request.get()
    if around is not None and not _is_around(around, span):
        around = None
    is_of_server = around is not None and around.task is None
    if around is not None and is_of_server and scope == DJANGO_SCOPE != around.scope:
        around.outer_span_id = around.span_id
        around.stand_for(context, scope)
        return
    request = RequestContext(outer=around)
    request.stand_for(context, scope)
    current_request.set(request)


def _is_around(request: RequestContext, span: Span) -> bool:
    """Tell whether `span` runs within `request`, not merely after it on this thread."""
    parent, of_request = span.parent, request.span_context
    return (
        not request.is_finished
        and parent is not None
        and not parent.is_remote
        and of_request is not None
        and parent.trace_id == of_request.trace_id
    )


def _scope_name(span: ReadableSpan) -> str:
    scope = span.instrumentation_scope
    return "" if scope is None else scope.name
