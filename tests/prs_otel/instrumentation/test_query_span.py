from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import (
    ReadableSpan,
    Span,
    SpanLimits,
    SpanProcessor,
    TracerProvider,
)
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import (
    ALWAYS_OFF,
    ALWAYS_ON,
    ParentBased,
    ParentBasedTraceIdRatio,
    Sampler,
    TraceIdRatioBased,
)
from opentelemetry.trace import (
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    TraceFlags,
    TraceState,
)

from prs_otel.instrumentation.query_span import QueryTracer
from tests.support.traces import Traces, tracing

ATTRIBUTES: Mapping[str, Any] = {
    "db.system.name": "sqlite",
    "db.query.text": "SELECT ?",
    "prs.db.alias": "default",
    "prs.db.query.fingerprint": "f" * 16,
}
FAILED = {**ATTRIBUTES, "error.type": "django.db.utils.DataError"}
TIMES = (1_000, 3_000)


class Direct(QueryTracer):
    """Refuse to go through the public API."""

    def _emit_public(self, *_: Any) -> None:
        raise AssertionError("the span could have been handed over")


class Public(QueryTracer):
    """Go through the public API whatever the provider."""

    def _processors(self) -> None:
        return None


def parent_of(
    flags: int = 1, *, is_remote: bool = False, state: TraceState | None = None
) -> SpanContext:
    return SpanContext(0xA, 0xB, is_remote, TraceFlags(flags), state)


def within(parent: SpanContext) -> Any:
    return trace.use_span(NonRecordingSpan(parent))


def described(span: ReadableSpan) -> dict[str, Any]:
    """Return all that one can ask a span, but for the id of its own."""
    context = span.get_span_context()
    assert context is not None
    assert context.is_valid
    return {
        "name": span.name,
        "kind": span.kind,
        "trace": (context.trace_id, context.trace_flags, context.trace_state),
        "is_remote": context.is_remote,
        "parent": span.parent,
        "times": (span.start_time, span.end_time),
        "attributes": dict(span.attributes or {}),
        "status": (span.status.status_code, span.status.description),
        "events": span.events,
        "links": span.links,
        "resource": span.resource,
        "scope": span.instrumentation_scope,
        "dropped": (span.dropped_attributes, span.dropped_events, span.dropped_links),
    }


SAMPLERS = {
    "default": None,
    "always on": ALWAYS_ON,
    "ratio": ParentBasedTraceIdRatio(0.5),
    "roots off": ParentBased(ALWAYS_OFF),
}
PARENTS = {
    "sampled": parent_of(1),
    "random": parent_of(3),
    "with a state": parent_of(1, state=TraceState([("vendor", "value")])),
}


@pytest.mark.parametrize("attributes", [ATTRIBUTES, FAILED], ids=["well", "failed"])
@pytest.mark.parametrize("sampler", SAMPLERS.values(), ids=SAMPLERS)
@pytest.mark.parametrize("parent", PARENTS.values(), ids=PARENTS)
def test_a_span_handed_over_equals_one_made_by_the_public_api(
    parent: SpanContext, sampler: Sampler | None, attributes: Mapping[str, Any]
) -> None:
    traces = tracing(sampler=sampler)
    with within(parent):
        Direct(traces.provider).emit("SELECT deals", attributes, TIMES)
        Public(traces.provider).emit("SELECT deals", attributes, TIMES)

    direct, public = traces.exported
    assert described(direct) == described(public)
    assert direct.get_span_context() != public.get_span_context()
    first, second = traces.observed
    assert first._replace(span_id=0) == second._replace(span_id=0)


def test_an_unsampled_parent_is_followed_either_way() -> None:
    traces = tracing()
    with within(parent_of(0)):
        Direct(traces.provider).emit("SELECT", ATTRIBUTES, TIMES)
        Public(traces.provider).emit("SELECT", ATTRIBUTES, TIMES)

    first, second = traces.observed
    assert first._replace(span_id=0) == second._replace(span_id=0)
    assert traces.exported == ()


def test_where_no_span_is_current_the_given_parent_stands_in() -> None:
    traces = tracing()
    parent = parent_of()
    Direct(traces.provider).emit("SELECT", ATTRIBUTES, TIMES, parent)
    Public(traces.provider).emit("SELECT", ATTRIBUTES, TIMES, parent)

    assert [span.parent for span in traces.exported] == [parent, parent]


def test_without_any_parent_the_span_is_a_root() -> None:
    traces = tracing()
    QueryTracer(traces.provider).emit("SELECT", ATTRIBUTES, TIMES)

    (span,) = traces.exported
    assert (span.parent, span.kind) == (None, SpanKind.CLIENT)


class Watching(SpanProcessor):
    """A processor that wants to see spans start."""

    def __init__(self) -> None:
        self.started: list[str] = []

    def on_start(self, span: Span, parent_context: object = None) -> None:
        self.started.append(span.name)


def test_a_processor_that_watches_spans_start_is_not_passed_over() -> None:
    traces, watching = tracing(), Watching()
    tracer = QueryTracer(traces.provider)
    with within(parent_of()):
        tracer.emit("before", ATTRIBUTES, TIMES)
        traces.provider.add_span_processor(watching)
        tracer.emit("after", ATTRIBUTES, TIMES)

    assert watching.started == ["after"]
    assert [span.name for span in traces.exported] == ["before", "after"]


def test_a_batching_exporter_is_handed_the_span() -> None:
    traces, exporter = tracing(), InMemorySpanExporter()
    batching = BatchSpanProcessor(exporter)
    traces.provider.add_span_processor(batching)
    with within(parent_of()):
        Direct(traces.provider).emit("SELECT", ATTRIBUTES, TIMES)
    batching.shutdown()  # type: ignore[no-untyped-call]

    assert [span.name for span in exporter.get_finished_spans()] == ["SELECT"]


def limited() -> TracerProvider:
    return TracerProvider(
        span_limits=SpanLimits(max_span_attribute_length=3), shutdown_on_exit=False
    )


def by_ratio() -> TracerProvider:
    # Without regard to the parent, so each span must be asked about.
    return TracerProvider(sampler=TraceIdRatioBased(1.0), shutdown_on_exit=False)


def unwrapped() -> TracerProvider:
    return TracerProvider(shutdown_on_exit=False)


@pytest.mark.parametrize("make", [limited, by_ratio, unwrapped])
def test_what_the_sdk_would_do_differently_goes_through_it(
    make: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider, exporter = make(), InMemorySpanExporter()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(QueryTracer, "_finished", None)
    with within(parent_of()):
        QueryTracer(provider).emit("SELECT", ATTRIBUTES, TIMES)

    (span,) = exporter.get_finished_spans()
    text = "SEL" if make is limited else "SELECT ?"
    assert dict(span.attributes or {})["db.query.text"] == text


@pytest.fixture
def traces() -> Traces:
    return tracing()


def test_a_remote_parent_goes_through_the_sampler(
    traces: Traces, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(QueryTracer, "_finished", None)
    with within(parent_of(is_remote=True)):
        QueryTracer(traces.provider).emit("SELECT", ATTRIBUTES, TIMES)

    assert len(traces.exported) == 1


def test_an_sdk_that_counts_its_own_spans_is_used_properly(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OTEL_PYTHON_SDK_INTERNAL_METRICS_ENABLED", "true")
    monkeypatch.setattr(QueryTracer, "_finished", None)
    traces = tracing()
    with within(parent_of()):
        QueryTracer(traces.provider).emit("SELECT", ATTRIBUTES, TIMES)

    assert len(traces.exported) == 1


def test_a_provider_that_is_not_the_sdks_is_used_by_its_interface() -> None:
    provider = trace.NoOpTracerProvider()
    QueryTracer(provider).emit("SELECT", ATTRIBUTES, TIMES)


def test_an_sdk_that_keeps_its_parts_elsewhere_is_used_by_its_interface(
    traces: Traces,
) -> None:
    tracer = QueryTracer(traces.provider)
    hidden: Any = tracer.tracer
    hidden._span_limits = SimpleNamespace()
    with within(parent_of()):
        assert tracer._processors() is None
