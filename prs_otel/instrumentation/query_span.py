"""Make the span of a query that has ended.

The query has run when its span is made, so nothing happens between start and end. With
the SDK's own tracer and processors that are known to do nothing at a span's start, the
finished span is built and handed over at once, at a third of the cost. Anything else
goes through the public API; both give equal spans.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from opentelemetry import trace
from opentelemetry.sdk.trace import (
    ReadableSpan,
    SpanProcessor,
    SynchronousMultiSpanProcessor,
    Tracer,
)
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ALWAYS_ON, ParentBased
from opentelemetry.trace import (
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    TracerProvider,
)

import prs_otel
from prs_otel.sampling import RecordAll
from prs_otel.semconv import ERROR_TYPE, QUERY_SCOPE

_CLIENT: Final = SpanKind.CLIENT
_UNSET: Final = Status(StatusCode.UNSET)
_FAILED: Final = Status(StatusCode.ERROR)
_FLAGS: Final = tuple(TraceFlags(bits) for bits in range(4))
_SAMPLED: Final = TraceFlags.SAMPLED
_ATTRIBUTES_NEEDED: Final = (
    32  # a span of ours has fewer; below it the SDK may drop some
)

# A processor whose class takes these from the SDK does nothing when a span starts.
_IDLE: Final = frozenset(
    getattr(kind, method)
    for kind in (SpanProcessor, BatchSpanProcessor, SimpleSpanProcessor)
    for method in ("on_start", "_on_ending")
    if hasattr(kind, method)
)


class QueryTracer:
    """Emit query spans to a tracer provider, by default the application's."""

    def __init__(self, provider: TracerProvider | None = None) -> None:
        self.tracer = trace.get_tracer(
            QUERY_SCOPE, prs_otel.__version__, tracer_provider=provider
        )
        self._checked: object = None
        self._direct: tuple[SpanProcessor, ...] | None = None
        self._samples_always = False

    def emit(
        self,
        name: str,
        attributes: Mapping[str, Any],
        times: tuple[int, int],
        parent: SpanContext | None = None,
    ) -> None:
        """Make one span of the given start and end (epoch ns).

        `parent` stands in where no span is current. The attributes are not copied and
        must not change afterwards.
        """
        current = trace.get_current_span().get_span_context()
        if current.is_valid:
            parent = current
        processors = self._processors()
        if processors is None or parent is None or not self._follows(parent):
            self._emit_public(name, attributes, times, parent)
            return
        span = self._finished(name, attributes, times, parent)
        for processor in processors:
            processor.on_end(span)

    def _processors(self) -> tuple[SpanProcessor, ...] | None:
        """Return whom to hand a finished span, `None` if that is not safe."""
        try:
            added = self.tracer.span_processor._span_processors  # type: ignore[attr-defined] # noqa: SLF001
        except AttributeError:
            return None
        if added is not self._checked:
            # Adding a processor replaces the tuple, so a look at it is enough.
            self._direct = added if self._is_direct(added) else None
            self._checked = added
        return self._direct

    def _is_direct(self, processors: tuple[SpanProcessor, ...]) -> bool:
        tracer = self.tracer
        if type(tracer) is not Tracer:
            return False
        root = getattr(tracer.sampler, "root", None)
        self._samples_always = root is ALWAYS_ON
        return (
            type(tracer.span_processor) is SynchronousMultiSpanProcessor
            and type(tracer.sampler) is RecordAll
            and (root is ALWAYS_ON or _follows_local_parent(root))
            and _is_unlimited(tracer)
            and all(map(_ignores_start, processors))
        )

    def _follows(self, parent: SpanContext) -> bool:
        """Tell whether the sampler would do as it did with `parent`."""
        if parent.is_remote:
            return False
        return not self._samples_always or bool(parent.trace_flags & _SAMPLED)

    def _finished(
        self,
        name: str,
        attributes: Mapping[str, Any],
        times: tuple[int, int],
        parent: SpanContext,
    ) -> ReadableSpan:
        tracer: Any = self.tracer
        context = SpanContext(
            parent.trace_id,
            tracer.id_generator.generate_span_id(),
            False,
            _FLAGS[parent.trace_flags & 3],
            parent.trace_state,
        )
        return ReadableSpan(
            name,
            context,
            parent,
            tracer.resource,
            attributes,
            kind=_CLIENT,
            instrumentation_info=tracer.instrumentation_info,
            status=_FAILED if ERROR_TYPE in attributes else _UNSET,
            start_time=times[0],
            end_time=times[1],
            instrumentation_scope=tracer._instrumentation_scope,  # noqa: SLF001
        )

    def _emit_public(
        self,
        name: str,
        attributes: Mapping[str, Any],
        times: tuple[int, int],
        parent: SpanContext | None,
    ) -> None:
        context = None
        if (
            parent is not None
            and not trace.get_current_span().get_span_context().is_valid
        ):
            context = trace.set_span_in_context(NonRecordingSpan(parent))
        span = self.tracer.start_span(
            name,
            context=context,
            kind=_CLIENT,
            attributes=attributes,
            start_time=times[0],
        )
        if ERROR_TYPE in attributes:
            span.set_status(_FAILED)
        span.end(times[1])


def _follows_local_parent(sampler: object) -> bool:
    """Tell whether a span with a local parent is sampled exactly if the parent is."""
    return (
        isinstance(sampler, ParentBased)
        and type(sampler).should_sample is ParentBased.should_sample
        and getattr(sampler, "_local_parent_sampled", None) is ALWAYS_ON
        and getattr(sampler, "_local_parent_not_sampled", None) is ALWAYS_OFF
    )


def _is_unlimited(tracer: Tracer) -> bool:
    """Tell whether the SDK would keep our attributes as they are and count nothing."""
    try:
        limits, metrics = tracer._span_limits, tracer._tracer_metrics  # noqa: SLF001
        return (
            limits.max_span_attribute_length is None
            and (limits.max_span_attributes or _ATTRIBUTES_NEEDED) >= _ATTRIBUTES_NEEDED
            and tracer._is_enabled()  # noqa: SLF001
            and type(metrics).__name__ == "NoOpTracerMetrics"
            and tracer._instrumentation_scope is not None  # noqa: SLF001
        )
    except AttributeError:
        return False


def _ignores_start(processor: SpanProcessor) -> bool:
    if getattr(processor, "ignores_query_start", False):
        return True
    kind = type(processor)
    return kind.on_start in _IDLE and getattr(kind, "_on_ending", None) in _IDLE
