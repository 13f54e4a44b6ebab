from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF
from opentelemetry.trace import SpanKind

from prs_otel import guard, processor
from prs_otel.observation import Observation, RequestContext, Thresholds
from prs_otel.processor import DerivedMetricsProcessor, attach
from prs_otel.request_context import current_request
from prs_otel.semconv import DJANGO_SCOPE, QUERY_SCOPE
from tests.support.traces import Traces, tracing

ANSWERED: dict[str, Any] = {
    "http.request.method": "GET",
    "http.response.status_code": 200,
}
QUERY = {"prs.db.alias": "default", "prs.db.query.fingerprint": "f" * 16}


@pytest.fixture(params=[True, False], ids=["open", "closed"])
def traces(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Traces]:
    """Trace with a processor that finds spans' attributes open, or has to ask."""
    monkeypatch.setattr(processor, "_SPANS_ARE_OPEN", request.param)
    yield tracing()
    current_request.set(None)


def current() -> RequestContext:
    request = current_request.get()
    assert request is not None
    return request


def starts(
    traces: Traces, scope: str, kind: SpanKind = SpanKind.SERVER, **options: Any
) -> Any:
    tracer = traces.provider.get_tracer(scope)
    return tracer.start_as_current_span("span", kind=kind, **options)


def test_a_request_has_a_context_while_its_span_lasts(traces: Traces) -> None:
    with starts(traces, DJANGO_SCOPE) as span:
        assert current().span_context == span.get_span_context()
        current().status_code = 204
    assert current_request.get() is None

    (found,) = traces.observed
    assert found.kind == "request"
    assert found.request is not None
    assert found.request.is_finished


def test_a_server_span_of_any_instrumentation_is_a_request(traces: Traces) -> None:
    with starts(traces, "some.framework", attributes=ANSWERED):
        pass

    (found,) = traces.observed
    assert found.labels == ("__unresolved__", "GET")


def test_a_request_within_a_servers_own_span_counts_once(traces: Traces) -> None:
    with starts(traces, "opentelemetry.instrumentation.asgi", attributes=ANSWERED):
        with starts(traces, DJANGO_SCOPE, SpanKind.INTERNAL, attributes=ANSWERED):
            current().route = "/deals/"
        with starts(traces, QUERY_SCOPE, SpanKind.CLIENT, attributes=QUERY):
            pass
    assert current_request.get() is None

    request, query = traces.observed
    assert (request.kind, request.labels) == ("request", ("/deals/", "GET"))
    assert (query.kind, query.request) == ("query", None)


def test_a_request_within_a_request_counts_as_well(traces: Traces) -> None:
    with starts(traces, DJANGO_SCOPE, attributes=ANSWERED):
        outer = current()
        with starts(traces, DJANGO_SCOPE, attributes=ANSWERED):
            assert current() is not outer
        assert current() is outer
    assert current_request.get() is None

    assert [found.request is outer for found in traces.observed] == [False, True]


def test_a_request_that_never_ended_is_not_around_the_next(traces: Traces) -> None:
    tracer = traces.provider.get_tracer(DJANGO_SCOPE)
    tracer.start_span("abandoned", kind=SpanKind.SERVER)
    abandoned = current()
    with starts(traces, DJANGO_SCOPE, attributes=ANSWERED):
        assert current().outer is None

    assert current_request.get() is None
    assert not abandoned.is_finished


def test_a_request_without_a_response_is_not_counted(traces: Traces) -> None:
    with starts(traces, DJANGO_SCOPE):
        request = current()

    assert traces.observed == []
    assert (request.is_finished, current_request.get()) == (True, None)


def test_a_span_that_ends_elsewhere_leaves_the_current_request(traces: Traces) -> None:
    tracer = traces.provider.get_tracer(DJANGO_SCOPE)
    late = tracer.start_span("late", kind=SpanKind.SERVER, attributes=ANSWERED)
    with starts(traces, DJANGO_SCOPE, attributes=ANSWERED):
        request = current()
        late.end()
        assert current() is request

    assert len(traces.observed) == 2


def test_a_streaming_response_stays_current_after_its_span(traces: Traces) -> None:
    with starts(traces, DJANGO_SCOPE, attributes=ANSWERED):
        request = current()
        request.is_streaming = True

    assert traces.observed == []
    assert request.pending is not None
    assert not request.is_finished
    assert current() is request


def test_a_query_belongs_to_the_request_it_runs_in(traces: Traces) -> None:
    with starts(traces, DJANGO_SCOPE, attributes=ANSWERED):
        request = current()
        for _ in range(2):
            with starts(traces, QUERY_SCOPE, SpanKind.CLIENT, attributes=QUERY):
                pass
    with starts(traces, QUERY_SCOPE, SpanKind.CLIENT, attributes=QUERY):
        pass

    queries = traces.observed_as("query")
    assert [query.request for query in queries] == [request, request, None]


@pytest.mark.parametrize(
    "kind",
    [SpanKind.CLIENT, SpanKind.INTERNAL, SpanKind.CONSUMER, SpanKind.PRODUCER],
)
def test_other_spans_are_ignored(traces: Traces, kind: SpanKind) -> None:
    with starts(traces, "requests", SpanKind.CLIENT):
        for scope in ("requests", "jinja", "requests"):
            with starts(traces, scope, kind, attributes=QUERY):
                assert current_request.get() is None

    assert traces.observed == []
    assert len(traces.exported) == 4


def test_what_is_not_exported_is_counted_all_the_same() -> None:
    traces = tracing(sampler=ALWAYS_OFF)
    with starts(traces, DJANGO_SCOPE, attributes=ANSWERED):
        pass

    assert (len(traces.observed), traces.exported) == (1, ())


def test_a_failure_of_ours_does_not_reach_the_application(
    monkeypatch: pytest.MonkeyPatch, traces: Traces
) -> None:
    def fail(observation: Observation) -> None:
        raise OSError("the rollup's own mistake")

    monkeypatch.setattr(guard, "reraise", False)
    traces.processor.record = fail
    with starts(traces, DJANGO_SCOPE, attributes=ANSWERED):
        pass

    assert guard.report() == {"processor.on_end": 1}
    assert len(traces.exported) == 1


def test_a_failure_to_begin_is_guarded_too(
    monkeypatch: pytest.MonkeyPatch, traces: Traces
) -> None:
    monkeypatch.setattr(guard, "reraise", False)
    monkeypatch.setattr(processor, "_begin", None)
    with starts(traces, DJANGO_SCOPE, attributes=ANSWERED):
        pass

    assert guard.report() == {"processor.on_start": 1}


def test_it_is_attached_once_to_the_provider_of_the_application(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    observed: list[Observation] = []
    ours = DerivedMetricsProcessor(observed.append, thresholds=Thresholds())
    provider = TracerProvider(shutdown_on_exit=False)
    monkeypatch.setattr(trace, "_TRACER_PROVIDER", provider)

    assert attach(ours)
    assert attach(ours)
    with provider.get_tracer(DJANGO_SCOPE).start_as_current_span(
        "span", kind=SpanKind.SERVER, attributes=ANSWERED
    ):
        pass

    assert len(observed) == 1


def test_where_no_provider_is_set_it_cannot_be_attached(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(trace, "_TRACER_PROVIDER", None)

    assert not attach(DerivedMetricsProcessor(print, thresholds=Thresholds()))
