from __future__ import annotations

import asyncio
import inspect
import threading
from collections.abc import Generator, Iterator
from contextvars import copy_context

import pytest
from asgiref.sync import sync_to_async
from django.db import connection

from prs_otel import expected_queries, unmeasured
from prs_otel.instrumentation import database
from prs_otel.instrumentation.measuring import (
    EXPECTED,
    MEASURED,
    REFUSED,
    UNMEASURED,
    mode,
)
from prs_otel.observation import RequestContext, Thresholds, current_request
from tests.support.traces import Traces, close_connections_of_other_threads, tracing

pytestmark = pytest.mark.django_db

THRESHOLDS = Thresholds(n_plus_one_count=3, n_plus_one_duration=0)


@pytest.fixture
def traces(monkeypatch: pytest.MonkeyPatch) -> Iterator[Traces]:
    found = tracing(THRESHOLDS)
    found.set_globally(monkeypatch)
    database.install(thresholds=lambda: THRESHOLDS)
    yield found
    database.uninstall()
    close_connections_of_other_threads()


@pytest.fixture
def request_context(traces: Traces) -> Iterator[RequestContext]:
    with connection.cursor():
        traces.observed.clear()
    request = RequestContext()
    request.keeps_outcomes = True
    token = current_request.set(request)
    yield request
    current_request.reset(token)


def repeat(times: int = 5) -> None:
    for _ in range(times):
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")


def repeats(request: RequestContext) -> list[int]:
    return [each.runs for each in request.repeats.values()]


def test_expected_queries_are_no_repeats_and_count_in_all_else(
    traces: Traces, request_context: RequestContext
) -> None:
    with expected_queries():
        repeat()

    assert repeats(request_context) == []
    assert (request_context.query_count, len(request_context.query_outcomes)) == (5, 5)
    assert len(traces.observed) == 5


def test_only_the_queries_of_the_block_are_expected(
    request_context: RequestContext,
) -> None:
    with expected_queries():
        repeat(3)
    repeat(4)

    assert repeats(request_context) == [4]


def test_blocks_nest(request_context: RequestContext) -> None:
    expected = expected_queries()
    with expected:
        with expected, expected_queries():
            repeat()
        repeat()
    repeat(2)

    assert repeats(request_context) == [2]
    assert mode.get() == MEASURED


def test_a_failing_expected_query_is_an_error(
    traces: Traces, request_context: RequestContext
) -> None:
    with (
        pytest.raises(Exception, match="nothing"),
        expected_queries(),
        connection.cursor() as cursor,
    ):
        cursor.execute("SELECT nothing")

    assert [each.is_error for each in traces.observed] == [True]
    assert repeats(request_context) == []


def test_a_function_can_be_decorated_bare_and_called(
    request_context: RequestContext,
) -> None:
    expected_queries(repeat)()
    expected_queries()(repeat)(3)

    assert repeats(request_context) == []
    assert inspect.signature(expected_queries(repeat)) == inspect.signature(repeat)


def test_a_coroutine_function_can_be_decorated(request_context: RequestContext) -> None:
    @expected_queries
    async def work() -> None:
        await sync_to_async(repeat, thread_sensitive=False)()

    assert inspect.iscoroutinefunction(work)
    asyncio.run(work())

    assert repeats(request_context) == []
    assert request_context.query_count >= 5


def test_a_block_on_an_event_loop_expects_for_its_own_task_only(
    request_context: RequestContext,
) -> None:
    entered = asyncio.Event()

    async def expecting() -> None:
        async with expected_queries():
            entered.set()
            await sync_to_async(repeat, thread_sensitive=False)()

    async def other() -> int:
        await entered.wait()
        return mode.get()

    async def both() -> int:
        _, found = await asyncio.gather(expecting(), other())
        return found

    assert asyncio.run(both()) == MEASURED
    assert repeats(request_context) == []


def test_what_is_unmeasured_or_refused_stays_so(
    traces: Traces, request_context: RequestContext
) -> None:
    with unmeasured(), expected_queries():
        repeat()
    token = mode.set(REFUSED)
    with expected_queries():
        assert mode.get() == REFUSED
    mode.reset(token)

    assert traces.observed == []


def test_one_block_may_be_entered_by_many_threads_at_the_same_time() -> None:
    shared = expected_queries()
    both_in, first_out = threading.Barrier(2), threading.Event()
    modes: list[int] = []

    def leave_first() -> None:
        with shared:
            both_in.wait(10)
        modes.append(mode.get())
        first_out.set()

    def leave_last() -> None:
        with shared:
            both_in.wait(10)
            first_out.wait(10)
            modes.append(mode.get())
        modes.append(mode.get())

    threads = [threading.Thread(target=work) for work in (leave_first, leave_last)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)

    assert modes == [MEASURED, EXPECTED, MEASURED]


def test_a_generator_that_is_closed_elsewhere_harms_nobody() -> None:
    def items() -> Generator[int]:
        with expected_queries():
            yield mode.get()

    generator = items()
    assert copy_context().run(next, generator) == EXPECTED

    with unmeasured():
        generator.close()
        assert mode.get() == UNMEASURED


def test_the_queries_of_a_generator_are_expected_and_not_those_of_its_caller(
    request_context: RequestContext,
) -> None:
    @expected_queries
    def items() -> Iterator[int]:
        for number in range(3):
            repeat(1)
            yield number

    for _ in items():
        repeat(1)

    assert repeats(request_context) == [3]
    assert request_context.query_count == 6


def test_methods_can_be_decorated_above_what_makes_them_such(
    request_context: RequestContext,
) -> None:
    class Service:
        @expected_queries
        @staticmethod
        def static() -> None:
            repeat()

        @expected_queries()
        @classmethod
        def of_class(cls) -> None:
            repeat()

    Service().static()
    Service.of_class()

    assert repeats(request_context) == []
    assert request_context.query_count == 10
