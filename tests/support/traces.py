"""A tracer provider of a test's own, with our processor and an exporter to look into."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from django.db import connections
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from prs_otel.instrumentation import opened
from prs_otel.observation import Observation, Thresholds
from prs_otel.processor import DerivedMetricsProcessor, attach

if TYPE_CHECKING:
    import pytest
    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.sdk.trace.sampling import Sampler


@dataclass
class Traces:
    """What was observed, and what was exported."""

    provider: TracerProvider
    processor: DerivedMetricsProcessor
    exporter: InMemorySpanExporter
    observed: list[Observation] = field(default_factory=list)

    @property
    def exported(self) -> tuple[ReadableSpan, ...]:
        return self.exporter.get_finished_spans()

    def observed_as(self, kind: str) -> list[Observation]:
        """Return the observations of one kind."""
        return [each for each in self.observed if each.kind == kind]

    def set_globally(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Let this be the application's provider until the test ends."""
        # The API lets it be set once only in a process.
        monkeypatch.setattr(trace, "_TRACER_PROVIDER", self.provider)


def tracing(
    thresholds: Thresholds | None = None,
    *,
    sampler: Sampler | None = None,
    record: Callable[[Observation], object] | None = None,
) -> Traces:
    """Return a provider that observes and exports into memory."""
    observed: list[Observation] = []
    provider = TracerProvider(sampler=sampler, shutdown_on_exit=False)
    processor = DerivedMetricsProcessor(
        record or observed.append, thresholds=thresholds or Thresholds()
    )
    attach(processor, provider)
    exporter = InMemorySpanExporter()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    return Traces(provider, processor, exporter, observed)


def close_connections_of_other_threads() -> None:
    """Close what threads of a test have opened: Django keeps databases in memory open."""
    own = {id(connection) for connection in connections.all(initialized_only=True)}
    for connection in opened.known():
        if id(connection) not in own and connection.connection:
            connection.connection.close()
            connection.connection = None
