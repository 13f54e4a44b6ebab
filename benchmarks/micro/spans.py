"""The kinds of span whose end is timed, each made the way its instrumentation makes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Final, Protocol

from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import SpanKind

from prs_otel import semconv
from prs_otel.observation import RequestContext, current_request

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.sdk.trace import SpanProcessor
    from opentelemetry.trace import Tracer

REQUEST: Final[Mapping[str, str | int]] = {
    "http.request.method": "GET",
    "url.scheme": "https",
    "server.address": "bench.example",
    "server.port": 443,
    "url.path": "/deals/17/",
    "client.address": "192.0.2.7",
    "user_agent.original": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0)",
    "network.protocol.version": "1.1",
    "http.route": "/deals/<int:pk>/",
    "http.response.status_code": 200,
}
QUERY: Final[Mapping[str, str]] = {
    "db.system.name": "postgresql",
    "db.namespace": "deals",
    "prs.db.alias": "default",
    "db.operation.name": "SELECT",
    "db.collection.name": "deals_deal",
    "db.query.summary": "SELECT deals_deal",
    "db.query.text": "SELECT id, title FROM deals_deal WHERE id = ?",
    "prs.db.query.fingerprint": "0123456789abcdef",
}
OUR_SCOPE: Final = InstrumentationScope(semconv.QUERY_SCOPE)
DURATION: Final = 20_000_000  # nanoseconds


class Ending(Protocol):
    """A span that is about to end."""

    def end(self) -> None:
        """End it: the part that is timed."""


@dataclass(frozen=True, slots=True)
class Source:
    """Spans of one kind, for a provider with or without a processor."""

    provider: TracerProvider
    processors: tuple[SpanProcessor, ...]

    def request(self) -> tuple[Ending, RequestContext | None]:
        """Start a request's span and tell its context what the response hook would."""
        tracer = tracer_of(self.provider, semconv.DJANGO_SCOPE)
        current_request.set(None)
        span = tracer.start_span("GET", kind=SpanKind.SERVER, attributes=REQUEST)
        request = current_request.get()
        if request is not None:
            request.method, request.route = "GET", "/deals/<int:pk>/"
            request.status_code = 200
        return span, request

    def query(self) -> tuple[Ending, RequestContext | None]:
        """Finish a query's span, to be handed over as the instrumentation does."""
        parent = tracer_of(self.provider, "parent").start_span("parent")
        span = ReadableSpan(
            "SELECT deals_deal",
            parent.get_span_context(),
            attributes=QUERY,
            kind=SpanKind.CLIENT,
            instrumentation_scope=OUR_SCOPE,
            start_time=0,
            end_time=DURATION,
        )
        return Finished(span, self.processors), RequestContext()

    def query_by_api(self) -> tuple[Ending, RequestContext | None]:
        """Start a query's span through the public API, where the direct way is not safe."""
        return self._started(semconv.QUERY_SCOPE, SpanKind.CLIENT, QUERY)

    def internal(self) -> tuple[Ending, RequestContext | None]:
        """Start a span of the application's own, as a part of something."""
        around = tracer_of(self.provider, "parent").start_span("parent")
        parent = trace.set_span_in_context(around)
        return self._started("app", SpanKind.INTERNAL, {}, parent)

    def client(self) -> tuple[Ending, RequestContext | None]:
        """Start a span of some other client, such as one of HTTP."""
        return self._started("app", SpanKind.CLIENT, {})

    def _started(
        self,
        scope: str,
        kind: SpanKind,
        attributes: Mapping[str, str],
        parent: Context | None = None,
    ) -> tuple[Ending, RequestContext | None]:
        tracer = tracer_of(self.provider, scope)
        span = tracer.start_span("span", parent, kind=kind, attributes=attributes)
        return span, RequestContext()


@cache
def tracer_of(provider: TracerProvider, scope: str) -> Tracer:
    """Return the one tracer of a scope: an instrumentation makes its own once."""
    return provider.get_tracer(scope)


@dataclass(frozen=True, slots=True)
class Finished:
    """A span that never started and only has to be handed over."""

    span: ReadableSpan
    processors: tuple[SpanProcessor, ...]

    def end(self) -> None:
        """Hand it to every processor."""
        for processor in self.processors:
            processor.on_end(self.span)
