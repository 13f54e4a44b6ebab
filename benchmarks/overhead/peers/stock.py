"""OpenTelemetry as its documentation has it: the Django and the sqlite3 instrumentors.

Exporting: OTLP http/protobuf behind a BatchSpanProcessor. Otherwise no processor at all,
and what it captures is counted by one that is added after the measured blocks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from opentelemetry.instrumentation.django import DjangoInstrumentor
from opentelemetry.instrumentation.sqlite3 import SQLite3Instrumentor
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind, set_tracer_provider

from benchmarks.overhead.peers import Captured

if TYPE_CHECKING:
    from benchmarks.overhead.peers import Surroundings
    from benchmarks.overhead.plan import Variant


class SpanCounter(SpanProcessor):
    """Count request and query spans by their kind."""

    def __init__(self) -> None:
        self.requests = 0
        self.queries = 0

    def on_end(self, span: ReadableSpan) -> None:
        """Count ``span``."""
        self.requests += span.kind is SpanKind.SERVER
        self.queries += span.kind is SpanKind.CLIENT


class Stock:
    """A tracer provider, both instrumentors and, when exporting, the OTLP exporter."""

    def __init__(self, *, exporting: bool) -> None:
        self._exporting = exporting
        self._provider: TracerProvider | None = None
        self._counter: SpanCounter | None = None

    def environment(self, around: Surroundings) -> dict[str, str]:
        """Point the exporter at the sink; stable conventions, as prs-otel's own."""
        return {
            "OTEL_EXPORTER_OTLP_ENDPOINT": around.sink,
            "OTEL_SEMCONV_STABILITY_OPT_IN": "http,database",
        }

    def install(self) -> None:
        """Set the provider and instrument Django and sqlite3."""
        self._provider = TracerProvider()
        if self._exporting:
            # Imported here: without an exporter, its memory is none of the variant's.
            from opentelemetry.exporter.otlp.proto.http.trace_exporter import (
                OTLPSpanExporter,
            )

            self._provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
        set_tracer_provider(self._provider)
        DjangoInstrumentor().instrument()
        SQLite3Instrumentor().instrument()

    def flush(self) -> None:
        """Export the spans that are still queued."""
        if self._provider is not None:
            self._provider.force_flush()

    def captured(self) -> Captured | None:
        """Count from the first call on: a counting processor would distort the blocks."""
        if self._exporting or self._provider is None:
            return None
        if self._counter is None:
            self._counter = SpanCounter()
            self._provider.add_span_processor(self._counter)
        return Captured(self._counter.requests, self._counter.queries)


def peer(variant: Variant) -> Stock:
    """Return the stock peer."""
    return Stock(exporting=variant.exporting)
