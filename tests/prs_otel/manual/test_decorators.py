from __future__ import annotations

import asyncio
import inspect
import os
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Generator, Iterator
from contextlib import suppress
from contextvars import copy_context
from functools import partial
from typing import Any, Protocol, TypeVar, cast, overload
from unittest import mock

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import (
    BadRequest,
    PermissionDenied,
    SuspiciousOperation,
    TooManyFieldsSent,
)
from django.db import connection
from django.http import Http404, HttpRequest, HttpResponse
from django.http.multipartparser import MultiPartParserError
from django.test import RequestFactory
from django.utils.decorators import method_decorator
from django.utils.functional import SimpleLazyObject
from django.views import View
from opentelemetry import trace
from opentelemetry.trace import SpanKind, StatusCode

from prs_otel import (
    guard,
    monitor_api_performance,
    monitor_query_performance,
    performance_monitor,
    unmeasured,
)
from prs_otel.instrumentation import blocks, shown
from prs_otel.instrumentation.measuring import current_block
from prs_otel.manual import readiness
from prs_otel.observation import RequestContext, current_request
from prs_otel.request_context import TaskContext
from prs_otel.rollup import series
from tests.support.traces import Traces

_Function = TypeVar("_Function", bound=Callable[..., Any])


class Decorator(Protocol):
    """Either of the two, as far as they are alike."""

    @overload
    def __call__(self, function: _Function, /) -> _Function: ...
    @overload
    def __call__(
        self, *, name: str | None = None
    ) -> Callable[[_Function], _Function]: ...


BOTH = pytest.mark.parametrize(
    "decorator", [monitor_query_performance, monitor_api_performance]
)


def run(sql: str = "SELECT 1") -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql)


def allowed_on_the_loop() -> Any:
    """Let Django query from a coroutine: its thread is the one that has the database."""
    return mock.patch.dict(os.environ, DJANGO_ALLOW_ASYNC_UNSAFE="1")


def kinds(traces: Traces) -> list[str]:
    return [each.kind for each in traces.observed]


@pytest.fixture
def request_context() -> Any:
    request = RequestContext()
    token = current_request.set(request)
    yield request
    current_request.reset(token)


@pytest.fixture
def connected(db: None, traces: Traces) -> Traces:
    """Forget what opening a connection was for the database."""
    run()
    traces.observed.clear()
    traces.exporter.clear()
    return traces


# --- Both -----------------------------------------------------------------------------


@BOTH
def test_a_function_keeps_its_name_signature_and_result(
    traces: Traces, decorator: Decorator
) -> None:
    def add(first: int, *, second: int = 2) -> int:
        """Add."""
        return first + second

    for decorated in (decorator(add), decorator()(add), decorator(name="sum")(add)):
        assert decorated(1, second=4) == 5
        assert (decorated.__name__, decorated.__doc__) == ("add", "Add.")
        assert inspect.signature(decorated) == inspect.signature(add)
        assert not inspect.iscoroutinefunction(decorated)


@BOTH
def test_a_coroutine_function_stays_one(traces: Traces, decorator: Decorator) -> None:
    @decorator
    async def work() -> str:
        await asyncio.sleep(0)
        return "done"

    assert inspect.iscoroutinefunction(work)
    assert asyncio.run(work()) == "done"
    assert len(traces.observed) == 1


@BOTH
def test_what_a_function_raises_is_an_error_and_raised(
    traces: Traces, decorator: Decorator
) -> None:
    error = ValueError("card 4111222233334444")

    @decorator
    def fail() -> None:
        raise error

    with pytest.raises(ValueError, match="card 4111222233334444") as caught:
        fail()

    (observation,) = traces.observed
    assert caught.value is error
    assert observation.is_error
    assert all(span.status.status_code is StatusCode.ERROR for span in traces.exported)
    assert "4111222233334444" not in "".join(span.to_json() for span in traces.exported)


@BOTH
def test_what_a_coroutine_raises_is_an_error_and_raised(
    traces: Traces, decorator: Decorator
) -> None:
    @decorator
    async def fail() -> None:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        asyncio.run(fail())

    assert [each.is_error for each in traces.observed] == [True]


@BOTH
def test_within_a_measured_request_the_function_is_a_span_and_counts_nowhere(
    traces: Traces, decorator: Decorator, request_context: RequestContext
) -> None:
    @decorator(name="work")
    def work() -> None:
        """Do nothing."""

    work()

    (span,) = traces.exported
    assert (span.name, span.kind) == ("work", SpanKind.INTERNAL)
    assert traces.observed == []
    assert request_context.query_count == 0
    assert not request_context.is_finished


@BOTH
def test_nothing_is_done_where_nothing_is_measured(
    traces: Traces, decorator: Decorator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(readiness, "is_measuring", lambda: False)

    @decorator
    def work() -> int:
        return 1

    @decorator
    async def awork() -> int:
        return 2

    assert (work(), asyncio.run(awork())) == (1, 2)
    assert traces.exported == ()


@BOTH
@pytest.mark.parametrize("nothing", [int, "text", 7, property(print)])
def test_what_is_no_function_cannot_be_decorated(
    decorator: Decorator, nothing: object
) -> None:
    with pytest.raises(TypeError, match="cannot be decorated: pass a function"):
        decorator(cast(Any, nothing))


def test_an_endpoint_or_name_that_cannot_be_is_named() -> None:
    with pytest.raises(TypeError, match=r"^endpoint cannot be 7"):
        monitor_api_performance(endpoint=cast(Any, 7))
    with pytest.raises(TypeError, match=r"^name cannot be 7"):
        monitor_api_performance(name=cast(Any, 7))


@BOTH
def test_a_method_can_be_decorated(traces: Traces, decorator: Decorator) -> None:
    class Service:
        @decorator
        def work(self, number: int) -> int:
            return number

        @classmethod
        @decorator
        def of_class(cls) -> type:
            return cls

    assert Service().work(3) == 3
    assert Service.of_class() is Service
    assert len(traces.observed) == 2


@BOTH
def test_methods_can_be_decorated_above_what_makes_them_such(
    traces: Traces, decorator: Decorator
) -> None:
    class Service:
        @decorator
        @classmethod
        def of_class(cls) -> type:
            return cls

        @decorator
        @staticmethod
        def static(number: int) -> int:
            return number

    assert (Service.of_class(), Service().of_class()) == (Service, Service)
    assert (Service.static(1), Service().static(2)) == (1, 2)
    assert len(traces.observed) == 4
    assert all("<locals>" in span.name for span in traces.exported)


@BOTH
def test_a_partial_function_has_the_name_of_what_it_calls(
    traces: Traces, decorator: Decorator, remembered: dict[str, str]
) -> None:
    assert decorator(partial(sum, [1, 2]))() == 3

    (observation,) = traces.observed
    assert "builtins.sum" in {observation.labels[0], *remembered.values()}


@BOTH
def test_a_lazy_argument_stays_unevaluated(
    traces: Traces, decorator: Decorator
) -> None:
    def evaluate() -> None:
        raise AssertionError

    @decorator
    def work(*_: object, request: object = None) -> object:
        return SimpleLazyObject(evaluate)

    work(SimpleLazyObject(evaluate), SimpleLazyObject(evaluate))
    work(request=SimpleLazyObject(evaluate))

    assert len(traces.observed) == 2


@BOTH
def test_a_failure_of_ours_leaves_the_function_alone(
    traces: Traces, decorator: Decorator, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise RuntimeError

    monkeypatch.setattr(guard, "reraise", False)
    monkeypatch.setattr(blocks, "tracer", fail)
    monkeypatch.setattr(shown, "tracer", fail)

    assert decorator(lambda: 7)() == 7
    assert guard.report() == {"manual.work": 1}
    guard.reset()


@BOTH
def test_a_coroutine_that_is_closed_where_it_never_ran_harms_nobody(
    traces: Traces, decorator: Decorator, caplog: pytest.LogCaptureFixture
) -> None:
    class Forever:
        def __await__(self) -> Generator[None]:
            yield

    @decorator
    async def work() -> None:
        await Forever()

    coroutine = work()
    copy_context().run(coroutine.send, None)
    coroutine.close()

    assert caplog.text == ""
    assert len(traces.exported) >= 1


# --- Queries --------------------------------------------------------------------------


def test_a_function_counts_as_a_query_under_its_name(
    traces: Traces, remembered: dict[str, str]
) -> None:
    @monitor_query_performance(name="reports.nightly")
    def work() -> None:
        """Do nothing."""

    work()
    work()

    first, second = traces.observed
    assert (first.kind, first.labels) == (series.QUERY, second.labels)
    assert remembered == {first.labels[1]: "reports.nightly"}


def test_a_query_that_the_decorator_names_is_sanitised(
    traces: Traces, remembered: dict[str, str]
) -> None:
    @monitor_query_performance(
        query="SELECT * FROM deals WHERE card = '4111222233334444'"
    )
    def work() -> None:
        """Do nothing."""

    work()

    assert [*remembered.values()] == ["SELECT * FROM deals WHERE card = ?"]


def test_a_function_that_runs_measured_queries_is_not_counted_beside_them(
    connected: Traces,
) -> None:
    @monitor_query_performance
    def work() -> None:
        run()
        run()

    work()

    assert kinds(connected) == [series.QUERY] * 2
    *queries, around = connected.exported
    assert around.context
    assert {span.parent.span_id for span in queries if span.parent} == {
        around.context.span_id
    }


def test_a_nested_function_counts_as_part_of_the_outer_one(traces: Traces) -> None:
    @monitor_query_performance(name="inner")
    def inner() -> None:
        """Do nothing."""

    @monitor_query_performance(name="outer")
    def outer() -> None:
        inner()
        inner()

    outer()

    assert kinds(traces) == [series.QUERY]
    assert [(span.name, span.kind.name) for span in traces.exported] == [
        ("inner", "INTERNAL"),
        ("inner", "INTERNAL"),
        ("outer", "CLIENT"),
        ("outer", "INTERNAL"),
    ]


def test_a_query_deep_within_is_counted_alone(connected: Traces) -> None:
    @monitor_query_performance
    def inner() -> None:
        run()

    @monitor_query_performance
    def outer() -> None:
        inner()

    outer()

    assert kinds(connected) == [series.QUERY]


def test_functions_that_run_at_once_count_apart(traces: Traces) -> None:
    @monitor_query_performance
    async def work() -> None:
        await asyncio.sleep(0.001)

    async def both() -> None:
        await asyncio.gather(work(), work(), work())

    asyncio.run(both())

    assert kinds(traces) == [series.QUERY] * 3


def test_a_function_counts_with_the_time_it_takes(traces: Traces) -> None:
    @monitor_query_performance
    def work() -> int:
        before = time.perf_counter_ns()
        while (passed := time.perf_counter_ns() - before) < 1_000_000:
            """Be busy."""
        return passed

    before = time.perf_counter_ns()
    passed = work()

    (query,) = traces.observed
    assert passed <= query.duration <= time.perf_counter_ns() - before


def test_a_generator_counts_with_the_time_it_has_worked_itself(traces: Traces) -> None:
    @monitor_query_performance(name="rows")
    def rows() -> Iterator[int]:
        yield 1
        yield 2

    before = time.perf_counter_ns()
    for _ in rows():
        caller = time.perf_counter_ns()
        while time.perf_counter_ns() - caller < 2_000_000:
            """Be busy."""
    passed = time.perf_counter_ns() - before

    (query,) = traces.observed
    assert query.duration <= passed - 4_000_000
    (around,) = [span for span in traces.exported if span.kind is SpanKind.INTERNAL]
    assert around.end_time
    assert around.start_time
    assert around.end_time - around.start_time >= 4_000_000


@pytest.mark.parametrize("is_async", [False, True])
def test_a_generator_that_runs_measured_queries_is_not_counted_beside_them(
    connected: Traces, is_async: bool
) -> None:
    @monitor_query_performance
    def rows() -> Iterator[int]:
        run()
        yield 1
        run()

    @monitor_query_performance
    async def arows() -> AsyncIterator[int]:
        with allowed_on_the_loop():
            run()
            yield 1
            run()

    async def ask() -> None:
        async for _ in arows():
            assert current_block.get() is None

    if is_async:
        asyncio.run(ask())
    else:
        for _ in rows():
            assert current_block.get() is None

    assert kinds(connected) == [series.QUERY] * 2


def test_a_task_that_outlives_the_function_which_started_it_counts(
    traces: Traces,
) -> None:
    @monitor_query_performance(name="inner")
    async def inner() -> None:
        await asyncio.sleep(0)

    @monitor_query_performance(name="outer")
    async def outer() -> asyncio.Task[None]:
        return asyncio.create_task(inner())

    async def both() -> None:
        await (await outer())

    asyncio.run(both())

    assert kinds(traces) == [series.QUERY] * 2


def test_the_query_lies_within_the_span_of_its_function(traces: Traces) -> None:
    @monitor_query_performance
    def work() -> None:
        """Do nothing."""

    work()

    query, around = traces.exported
    assert query.parent == around.context
    assert around.start_time
    assert query.start_time
    assert query.end_time
    assert around.end_time
    assert around.start_time <= query.start_time <= query.end_time <= around.end_time


def test_what_is_unmeasured_counts_as_no_query(traces: Traces) -> None:
    with unmeasured():
        monitor_query_performance(lambda: None)()

    assert traces.observed == []


# --- Requests -------------------------------------------------------------------------


def test_a_function_counts_as_a_request_under_its_name(traces: Traces) -> None:
    @monitor_api_performance(name="jobs.sync")
    def work() -> None:
        """Do nothing."""

    work()

    (request,) = traces.observed
    assert request.kind == series.REQUEST
    assert request.labels == ("jobs.sync", "_OTHER")
    assert current_request.get() is None


def test_a_function_may_say_its_endpoint(traces: Traces) -> None:
    @monitor_api_performance(endpoint="api/deals/")
    def work(request: HttpRequest) -> HttpResponse:
        return HttpResponse(status=503)

    work(RequestFactory().post("/elsewhere/"))

    (request,) = traces.observed
    assert request.labels == ("/api/deals/", "POST")
    assert request.is_error


@pytest.mark.parametrize(
    ("error", "is_error"),
    [
        (Http404, False),
        (PermissionDenied, False),
        (BadRequest, False),
        (SuspiciousOperation, False),
        (TooManyFieldsSent, False),
        (MultiPartParserError, False),
        (KeyError, True),
    ],
)
def test_an_exception_counts_as_django_would_answer_it(
    traces: Traces, error: type[Exception], is_error: bool
) -> None:
    @monitor_api_performance
    def work() -> None:
        raise error

    with pytest.raises(error):
        work()

    (request,) = traces.observed
    assert request.is_error is is_error
    assert (request.code is not None) is is_error


def test_the_queries_of_a_function_are_those_of_its_request(connected: Traces) -> None:
    @monitor_api_performance
    def work() -> None:
        for _ in range(3):
            run()

    work()

    *_, request = connected.observed
    assert kinds(connected) == [series.QUERY] * 3 + [series.REQUEST]
    assert request.request is not None
    assert request.request.query_count == 3
    assert [each.count for each in request.request.findings] == [3]


def test_a_request_within_a_decorated_query_keeps_what_it_counts(
    connected: Traces,
) -> None:
    @monitor_api_performance
    def inner() -> None:
        run()

    @monitor_query_performance
    def outer() -> None:
        inner()

    outer()

    assert kinds(connected) == [series.QUERY, series.REQUEST]


@pytest.mark.parametrize("error", [None, KeyError, Http404])
def test_whose_the_request_is_is_known_whatever_the_function_returns(
    traces: Traces, error: type[Exception] | None
) -> None:
    @monitor_api_performance
    def work(request: HttpRequest) -> dict[str, int]:
        if error is not None:
            raise error
        return {"count": 1}

    request = RequestFactory().get("/")
    vars(request).update(tenant=7, user=User(pk=8))
    with suppress(KeyError, Http404):
        work(request)

    (observed,) = traces.observed
    assert observed.request is not None
    assert observed.request.organization_id == "7"
    assert observed.request.user_id == "8"


def test_a_nested_request_counts_once(traces: Traces) -> None:
    @monitor_api_performance
    def inner() -> None:
        """Do nothing."""

    @monitor_api_performance(name="outer")
    def outer() -> None:
        inner()

    outer()

    assert [each.labels[0] for each in traces.observed] == ["outer"]


def test_a_cancelled_request_is_no_observation(traces: Traces) -> None:
    @monitor_api_performance
    async def work() -> None:
        await asyncio.sleep(60)

    async def cancel() -> None:
        task = asyncio.ensure_future(work())
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    waiting: Coroutine[Any, Any, None] = cancel()
    asyncio.run(waiting)

    assert traces.observed == []
    assert len(traces.exported) == 1


def test_a_generator_counts_as_a_request_with_its_queries(connected: Traces) -> None:
    @monitor_api_performance(name="feed")
    def feed() -> Iterator[int]:
        run()
        yield 1
        run()

    for _ in feed():
        assert current_request.get() is None

    *_, request = connected.observed
    assert kinds(connected) == [series.QUERY] * 2 + [series.REQUEST]
    assert request.request is not None
    assert request.request.query_count == 2


def test_a_view_class_whose_dispatch_is_decorated_counts_when_it_is_done(
    connected: Traces,
) -> None:
    @method_decorator(monitor_api_performance, name="dispatch")
    class Deals(View):
        async def get(self, request: HttpRequest) -> HttpResponse:
            await asyncio.sleep(0)
            return HttpResponse(status=503)

    async def ask() -> HttpResponse:
        view: Any = Deals.as_view()
        response: HttpResponse = await view(RequestFactory().get("/"))
        return response

    assert asyncio.run(ask()).status_code == 503

    (request,) = connected.observed
    assert request.is_error
    assert request.labels[1] == "GET"


@pytest.mark.parametrize("is_named", [False, True])
def test_the_request_may_be_given_by_its_name(traces: Traces, is_named: bool) -> None:
    @monitor_api_performance(name="deals")
    def work(request: HttpRequest) -> HttpResponse:
        return HttpResponse()

    request = RequestFactory().post("/elsewhere/")
    work(request=request) if is_named else work(request)

    assert [each.labels for each in traces.observed] == [("deals", "POST")]


def test_a_request_that_asks_for_others_counts_with_them_once_at_most(
    traces: Traces,
) -> None:
    @monitor_api_performance(name="outer")
    def outer() -> None:
        performance_monitor.record_api_performance(
            endpoint="/other/", method="GET", response_time=1, status_code=200
        )
        assert current_request.get() is not None

    outer()

    assert [each.labels[0] for each in traces.observed] == ["/other/", "outer"]
    assert current_request.get() is None


# --- Within a task --------------------------------------------------------------------


@pytest.fixture
def task(traces: Traces) -> Any:
    with trace.get_tracer("application").start_as_current_span("work"):
        yield current_request.get()
    assert kinds(traces)[-1] == series.TASK
    assert kinds(traces).count(series.TASK) == 1


def test_a_function_within_a_task_counts_as_its_query(
    traces: Traces, task: TaskContext
) -> None:
    monitor_query_performance(lambda: None)()

    (found,) = traces.observed
    assert (found.kind, found.request) == (series.QUERY, task)
    assert task.query_count == 1


def test_within_a_task_too_measured_queries_count_alone(
    connected: Traces, task: TaskContext
) -> None:
    monitor_query_performance(run)()

    assert kinds(connected) == [series.QUERY]
    assert connected.exported[-2].name == "SELECT"
    assert task.query_count == 1


def test_a_request_within_a_task_counts_besides(
    traces: Traces, task: TaskContext
) -> None:
    monitor_api_performance(lambda: None)()

    assert kinds(traces) == [series.REQUEST]
    assert current_request.get() is task
