from __future__ import annotations

from collections.abc import Iterator
from contextvars import copy_context
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import (
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
)

from prs_otel import processor, tasks
from prs_otel.instrumentation import n_plus_one
from prs_otel.observation import Thresholds
from prs_otel.processor import DerivedMetricsProcessor
from prs_otel.request_context import RequestContext, TaskContext, current_request
from prs_otel.semconv import (
    CELERY_SCOPE,
    COMMAND_SCOPE,
    DJANGO_SCOPE,
    MANUAL_SCOPE,
    QUERY_SCOPE,
)
from tests.support.traces import Traces, tracing

ANSWERED: dict[str, Any] = {
    "http.request.method": "GET",
    "http.response.status_code": 200,
}
QUERY = {"prs.db.alias": "default", "prs.db.query.fingerprint": "f" * 16}
MILLISECOND = 1_000_000


@pytest.fixture(params=[True, False], ids=["open", "closed"])
def traces(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Traces]:
    """Trace with a processor that finds spans' attributes open, or has to ask."""
    monkeypatch.setattr(processor, "_SPANS_ARE_OPEN", request.param)
    yield tracing(Thresholds(slow_task=MILLISECOND))
    current_request.set(None)


def starts(
    traces: Traces,
    name: str = "work",
    kind: SpanKind = SpanKind.INTERNAL,
    *,
    scope: str = "application",
    **options: Any,
) -> Any:
    tracer = traces.provider.get_tracer(scope)
    return tracer.start_as_current_span(name, kind=kind, **options)


def sent_elsewhere() -> Context:
    """Return the context of a message that another process has sent."""
    sender = SpanContext(7, 8, is_remote=True, trace_flags=TraceFlags(1))
    return trace.set_span_in_context(NonRecordingSpan(sender))


def task() -> TaskContext:
    found = current_request.get()
    assert isinstance(found, TaskContext)
    return found


@pytest.mark.parametrize(
    ("scope", "kind", "name", "labels"),
    [
        ("application", SpanKind.INTERNAL, "rebuild", ("rebuild", "internal")),
        ("kafka", SpanKind.CONSUMER, "orders receive", ("orders receive", "consumer")),
        (COMMAND_SCOPE, SpanKind.INTERNAL, "seed", ("seed", "command")),
        (CELERY_SCOPE, SpanKind.CONSUMER, "run/shop.bill", ("shop.bill", "celery")),
    ],
)
def test_a_task_is_known_by_its_name_and_kind(
    traces: Traces, scope: str, kind: SpanKind, name: str, labels: tuple[str, str]
) -> None:
    with starts(traces, name, kind, scope=scope):
        assert task().endpoint is None
    assert current_request.get() is None

    (found,) = traces.observed
    assert (found.kind, found.labels) == ("task", labels)
    assert found.request is not None
    assert (found.request.task, found.request.is_finished) == (labels[0], True)


def test_celery_itself_says_what_a_task_is_called(traces: Traces) -> None:
    told = {"celery.task_name": "shop.bill"}
    with starts(
        traces, "message", SpanKind.CONSUMER, scope=CELERY_SCOPE, attributes=told
    ):
        pass

    assert [each.labels for each in traces.observed] == [("shop.bill", "celery")]


def test_a_message_from_another_process_is_a_task(traces: Traces) -> None:
    with starts(traces, kind=SpanKind.CONSUMER, context=sent_elsewhere()):
        pass

    (found,) = traces.observed
    assert (found.kind, found.trace_id) == ("task", 7)


def test_a_name_that_tells_a_story_is_cut(traces: Traces) -> None:
    with starts(traces, "x" * 1_000):
        pass

    assert [each.labels[0] for each in traces.observed] == ["x" * 200]


@pytest.mark.parametrize(
    ("status", "attributes", "is_error"),
    [
        (StatusCode.UNSET, {}, False),
        (StatusCode.OK, {}, False),
        (StatusCode.ERROR, {}, True),
        (StatusCode.UNSET, {"error.type": "KeyError"}, True),
    ],
)
def test_a_task_fails_when_its_span_says_so(
    traces: Traces, status: StatusCode, attributes: dict[str, str], is_error: bool
) -> None:
    with starts(traces, attributes=attributes) as span:
        span.set_status(Status(status))

    assert [each.is_error for each in traces.observed] == [is_error]


@pytest.mark.parametrize(("beyond", "is_slow"), [(0, False), (1, True)])
def test_a_task_is_slow_beyond_the_threshold(
    traces: Traces, beyond: int, is_slow: bool
) -> None:
    tracer = traces.provider.get_tracer("application")
    tracer.start_span("work", start_time=1_000).end(1_000 + MILLISECOND + beyond)

    (found,) = traces.observed
    assert (found.duration, found.is_slow) == (MILLISECOND + beyond, is_slow)


def test_the_queries_of_a_task_are_its_own(traces: Traces) -> None:
    with starts(traces):
        of_task = task()
        with starts(traces, "query", SpanKind.CLIENT, scope=QUERY_SCOPE) as query:
            query.set_attributes(QUERY)
    with starts(traces, "query", SpanKind.CLIENT, scope=QUERY_SCOPE) as query:
        query.set_attributes(QUERY)

    assert [each.request for each in traces.observed_as("query")] == [of_task, None]


@pytest.mark.parametrize("kind", [SpanKind.INTERNAL, SpanKind.CONSUMER])
def test_a_part_of_a_task_or_request_is_none(traces: Traces, kind: SpanKind) -> None:
    with starts(traces), starts(traces, "part", kind):
        pass
    with starts(traces, kind=SpanKind.SERVER, scope=DJANGO_SCOPE, attributes=ANSWERED):
        request = current_request.get()
        with starts(traces, "part", kind):
            assert current_request.get() is request

    assert [each.kind for each in traces.observed] == ["task", "request"]


def test_a_trace_begun_within_a_request_is_a_part_of_it(traces: Traces) -> None:
    with starts(traces, kind=SpanKind.SERVER, scope=DJANGO_SCOPE, attributes=ANSWERED):
        request = current_request.get()
        with starts(traces, "apart", context=Context()):
            assert current_request.get() is request

    assert [each.kind for each in traces.observed] == ["request"]


def test_what_a_streamed_response_does_is_a_part_of_its_request(traces: Traces) -> None:
    with starts(traces, kind=SpanKind.SERVER, scope=DJANGO_SCOPE, attributes=ANSWERED):
        request = current_request.get()
        assert request is not None
        request.is_streaming = True
    with starts(traces, "chunk"):
        assert current_request.get() is request

    assert traces.observed == []


def test_a_request_that_never_ended_has_no_part_in_a_task(traces: Traces) -> None:
    tracer = traces.provider.get_tracer(DJANGO_SCOPE)
    tracer.start_span("abandoned", kind=SpanKind.SERVER)
    with starts(traces):
        assert task().name == "work"

    assert [each.kind for each in traces.observed] == ["task"]


@pytest.mark.parametrize("scope", [DJANGO_SCOPE, "some.framework"])
def test_a_request_that_a_task_makes_counts_as_well(traces: Traces, scope: str) -> None:
    with starts(traces):
        of_task = task()
        with starts(traces, kind=SpanKind.SERVER, scope=scope, attributes=ANSWERED):
            assert current_request.get() is not of_task
        assert current_request.get() is of_task

    assert [each.kind for each in traces.observed] == ["request", "task"]


def test_a_decorated_function_is_no_task_besides(traces: Traces) -> None:
    with starts(traces, scope=MANUAL_SCOPE):
        assert current_request.get() is None

    assert traces.observed == []


def test_a_task_may_end_in_another_context_than_it_began_in(traces: Traces) -> None:
    tracer = traces.provider.get_tracer("application")
    elsewhere = copy_context()
    span = elsewhere.run(tracer.start_span, "work")
    of_task = elsewhere[current_request]
    assert of_task is not None
    of_task.query_count = 3
    span.end()

    (found,) = traces.observed
    assert (found.request, of_task.is_finished) == (of_task, True)


def test_what_a_task_repeated_is_found_when_it_ends() -> None:
    thresholds = Thresholds(n_plus_one_count=2, n_plus_one_duration=0)
    traces = tracing(thresholds)
    traces.processor.tasks = tasks.Tasks(n_plus_one.conclude)
    with starts(traces):
        for _ in range(2):
            task().add_query("f1", 10)

    (found,) = traces.observed
    assert found.request is not None
    assert [each.fingerprint for each in found.request.findings] == ["f1"]


def test_too_many_open_tasks_cost_the_oldest(
    monkeypatch: pytest.MonkeyPatch, traces: Traces
) -> None:
    monkeypatch.setattr(tasks, "_OPEN_LIMIT", 1)
    tracer = traces.provider.get_tracer("application")
    contexts = copy_context(), copy_context()
    first = contexts[0].run(tracer.start_span, "first")
    second = contexts[1].run(tracer.start_span, "second")
    abandoned = contexts[0][current_request]
    assert isinstance(abandoned, RequestContext)
    assert abandoned.is_finished
    first.end()
    second.end()

    assert [each.labels[0] for each in traces.observed] == ["second"]


def test_a_forked_child_counts_nothing_that_its_parent_began(traces: Traces) -> None:
    ours: DerivedMetricsProcessor = traces.processor
    with starts(traces):
        ours.tasks.forget()
        assert current_request.get() is None

    assert traces.observed == []


def test_a_forked_child_of_a_request_keeps_it(traces: Traces) -> None:
    with starts(traces, kind=SpanKind.SERVER, scope=DJANGO_SCOPE, attributes=ANSWERED):
        request = current_request.get()
        traces.processor.tasks.forget()
        assert current_request.get() is request
