from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Coroutine
from typing import Any, Protocol, TypeVar, cast, overload

import pytest
from django.db import connection
from django.http import Http404, HttpRequest, HttpResponse
from django.test import RequestFactory
from opentelemetry.trace import SpanKind, StatusCode

from prs_otel import monitor_api_performance, monitor_query_performance
from prs_otel.manual import readiness
from prs_otel.observation import RequestContext, current_request
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
    error = ValueError("card 4111")

    @decorator
    def fail() -> None:
        raise error

    with pytest.raises(ValueError, match="card 4111") as caught:
        fail()

    (observation,) = traces.observed
    assert caught.value is error
    assert observation.is_error
    assert all(span.status.status_code is StatusCode.ERROR for span in traces.exported)
    assert "4111" not in "".join(span.to_json() for span in traces.exported)


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
@pytest.mark.parametrize("nothing", [int, "text", 7, classmethod(print)])
def test_what_is_no_function_cannot_be_decorated(
    decorator: Decorator, nothing: object
) -> None:
    with pytest.raises(TypeError, match="cannot be decorated: pass a function"):
        decorator(cast(Any, nothing))


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
    @monitor_query_performance(query="SELECT * FROM deals WHERE card = '4111'")
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


@pytest.mark.parametrize(("error", "is_error"), [(Http404, False), (KeyError, True)])
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
