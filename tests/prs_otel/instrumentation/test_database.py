from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, connection, connections
from django.test.utils import CaptureQueriesContext
from library.models import Author
from opentelemetry import trace
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags

from prs_otel import guard
from prs_otel.instrumentation import call_site, database
from prs_otel.instrumentation.measuring import REFUSED, QueryRefusedError, mode
from prs_otel.instrumentation.statements import Descriptions
from prs_otel.observation import CallSite, RequestContext, Thresholds
from prs_otel.request_context import current_request
from tests.support.traces import Traces, close_connections_of_other_threads, tracing

pytestmark = pytest.mark.django_db(databases=["default", "other"])

HERE = CallSite("tests/prs_otel/instrumentation/test_database.py", 7, "here")
THRESHOLDS = Thresholds(n_plus_one_count=3)
SLOW_AT_ONCE = Thresholds(slow_query=-1)


@pytest.fixture
def thresholds() -> list[Thresholds]:
    return [THRESHOLDS]


@pytest.fixture
def remembered() -> dict[str, str]:
    return {}


@pytest.fixture
def traces(
    monkeypatch: pytest.MonkeyPatch,
    thresholds: list[Thresholds],
    remembered: dict[str, str],
) -> Iterator[Traces]:
    """Install the instrumentation with a provider of the test's own."""
    found = tracing(THRESHOLDS)
    found.set_globally(monkeypatch)
    database.install(thresholds=lambda: thresholds[0], remember=remembered.__setitem__)
    yield found
    database.uninstall()
    close_connections_of_other_threads()


@pytest.fixture
def request_context() -> Iterator[RequestContext]:
    request = RequestContext()
    token = current_request.set(request)
    yield request
    current_request.reset(token)


def run(sql: str, params: Any = None, *, alias: str = "default") -> None:
    with connections[alias].cursor() as cursor:
        cursor.execute(sql, params)


def attributes(traces: Traces) -> list[dict[str, Any]]:
    return [dict(span.attributes or {}) for span in traces.exported]


def test_every_query_is_one_span_and_one_observation(
    traces: Traces, remembered: dict[str, str]
) -> None:
    Author.objects.create(name="Ada")
    run("SELECT 1", alias="other")

    assert [span.name for span in traces.exported] == [
        "INSERT library_author",
        "SELECT",
    ]
    assert [found.kind for found in traces.observed] == ["query", "query"]
    assert [found.labels[0] for found in traces.observed] == ["default", "other"]
    assert remembered[traces.observed[1].labels[1]] == "SELECT ?"


def test_a_batch_is_one_query_of_its_size(traces: Traces) -> None:
    rows: Any = [("a",), ("b",), ("c",)]
    iterator: Any = iter(rows)
    with connection.cursor() as cursor:
        cursor.executemany("INSERT INTO library_author (name) VALUES (%s)", rows)
        cursor.executemany("INSERT INTO library_author (name) VALUES (%s)", iterator)

    sizes = [found.get("db.operation.batch.size") for found in attributes(traces)]
    assert sizes == [3, None]
    assert Author.objects.count() == 6


def test_a_failed_query_tells_the_type_of_its_error_only(traces: Traces) -> None:
    with pytest.raises(DatabaseError):
        run("SELECT 'a secret' FROM nowhere")

    (span,) = traces.exported
    assert (
        dict(span.attributes or {})["error.type"] == "django.db.utils.OperationalError"
    )
    assert span.status.description is None
    assert span.events == ()
    assert "secret" not in span.to_json()
    assert [found.is_error for found in traces.observed] == [True]


def test_the_application_gets_its_own_exception(traces: Traces) -> None:
    Author.objects.create(pk=1, name="Ada")
    with pytest.raises(IntegrityError, match="UNIQUE"):
        Author.objects.create(pk=1, name="Ada")


def test_a_slow_query_names_the_line_of_code(
    traces: Traces, thresholds: list[Thresholds], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(call_site, "find", lambda: HERE)
    run("SELECT 1")
    thresholds[0] = SLOW_AT_ONCE
    traces.processor.thresholds = SLOW_AT_ONCE
    run("SELECT 2")

    quick, slow = attributes(traces)
    assert "code.file.path" not in quick
    assert slow["code.file.path"] == HERE.file
    assert slow["code.line.number"] == HERE.line
    assert slow["code.function.name"] == HERE.function
    assert [found.code for found in traces.observed] == [None, HERE]


@pytest.mark.usefixtures("traces")
def test_the_line_that_repeats_a_query_is_looked_for_once_at_the_threshold(
    request_context: RequestContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    at: list[int] = []

    def find() -> CallSite:
        at.append(request_context.query_count)
        return HERE

    monkeypatch.setattr(call_site, "find", find)
    for _ in range(THRESHOLDS.n_plus_one_count + 2):
        run("SELECT 1")

    assert at == [THRESHOLDS.n_plus_one_count]
    (repeat,) = request_context.repeats.values()
    assert repeat.code == HERE


def test_a_slow_query_of_nobodys_code_names_no_line(
    traces: Traces, thresholds: list[Thresholds], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(call_site, "find", lambda: None)
    thresholds[0] = SLOW_AT_ONCE
    run("SELECT 1")

    assert "code.file.path" not in attributes(traces)[0]


def test_a_request_counts_its_queries_and_knows_what_repeats_them(
    traces: Traces,
    request_context: RequestContext,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(call_site, "find", lambda: HERE)
    for number in range(4):
        run(f"SELECT {number}")

    (repeat,) = request_context.repeats.values()
    assert (repeat.runs, repeat.code) == (4, HERE)
    assert request_context.query_count == 4
    assert request_context.query_time == sum(q.duration for q in traces.observed)
    assert {query.request for query in traces.observed} == {request_context}


def test_a_query_after_the_end_of_its_request_is_nobodys(
    traces: Traces, request_context: RequestContext
) -> None:
    request_context.is_finished = True
    run("SELECT 1")

    assert request_context.query_count == 0
    assert traces.observed[0].request is None


def test_a_query_whose_request_has_no_span_any_more_keeps_its_trace(
    traces: Traces, request_context: RequestContext
) -> None:
    request_context.stand_for(SpanContext(0xA, 0xB, False, TraceFlags(1)), "scope")
    run("SELECT 1")

    (span,) = traces.exported
    assert span.parent == request_context.span_context


def test_a_query_is_a_child_of_the_current_span(traces: Traces) -> None:
    parent = SpanContext(0xA, 0xB, False, TraceFlags(1))
    with trace.use_span(NonRecordingSpan(parent)):
        run("SELECT 1")

    assert [span.parent for span in traces.exported] == [parent]


def test_our_own_queries_are_not_measured(
    traces: Traces, request_context: RequestContext
) -> None:
    with database.unmeasured():
        run("SELECT 1")

    assert (traces.exported, traces.observed) == ((), [])
    assert request_context.query_count == 0


def test_code_that_must_not_query_cannot(traces: Traces) -> None:
    token = mode.set(REFUSED)
    with pytest.raises(QueryRefusedError):
        run("SELECT 1")
    mode.reset(token)
    run("SELECT 2")

    assert len(traces.observed) == 1


def test_wrappers_of_the_application_are_around_ours(traces: Traces) -> None:
    seen: list[str] = []

    def twice(execute: Any, sql: Any, params: Any, many: bool, context: Any) -> Any:
        seen.append(sql)
        execute(sql + " + 1", params, many, context)
        return execute(sql + " + 2", params, many, context)

    with connection.execute_wrapper(twice):
        run("SELECT 1")
    run("SELECT 2")

    assert seen == ["SELECT 1"]
    texts = [found["db.query.text"] for found in attributes(traces)]
    assert texts == ["SELECT ? + ?", "SELECT ? + ?", "SELECT ?"]


def test_a_connection_opened_within_a_wrapper_is_measured_too(traces: Traces) -> None:
    seen: list[str] = []

    def watch(execute: Any, sql: Any, params: Any, many: bool, context: Any) -> Any:
        seen.append(sql)
        return execute(sql, params, many, context)

    def in_a_thread() -> None:
        # Django has a connection of its own for each thread.
        with connection.execute_wrapper(watch):
            run("SELECT 1")
        run("SELECT 2")
        remaining.extend(connection.execute_wrappers)
        connection.close()

    remaining: list[object] = []
    thread = threading.Thread(target=in_a_thread)
    thread.start()
    thread.join()

    assert (seen, remaining) == (["SELECT 1"], [])
    assert len(traces.observed) == 2


def test_queries_are_counted_by_django_as_before(traces: Traces) -> None:
    with CaptureQueriesContext(connection) as captured:
        Author.objects.count()

    assert len(captured) == len(traces.observed) == 1


def test_installing_again_replaces_what_was_given(traces: Traces) -> None:
    database.install(thresholds=lambda: THRESHOLDS)
    run("SELECT 1")

    assert len(traces.observed) == 1


def test_uninstalled_it_leaves_no_trace(traces: Traces) -> None:
    def mine(execute: Any, *arguments: Any) -> Any:
        return execute(*arguments)

    with connection.execute_wrapper(mine):
        database.uninstall()
        assert connection.execute_wrappers == [mine]
        assert type(connection.execute_wrappers) is list
        run("SELECT 1")

    assert traces.observed == []


def test_what_sets_a_connection_up_again_is_no_query(
    traces: Traces, monkeypatch: pytest.MonkeyPatch
) -> None:
    database.uninstall()
    opened = connections["default"]
    kind = type(opened)
    monkeypatch.setattr(kind, "init_connection_state", lambda self: run("SELECT 1"))
    database.install(thresholds=lambda: THRESHOLDS)
    opened.init_connection_state()
    run("SELECT 2")
    assert len(traces.exported) == 1

    database.uninstall()
    assert "init_connection_state" not in vars(opened)


def test_a_failure_of_ours_does_not_reach_the_application(
    traces: Traces, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guard, "reraise", False)
    monkeypatch.setattr(Descriptions, "of", None)
    run("SELECT 1")

    assert guard.report() == {"database.observe": 1}


class TracedCursor:
    """A cursor as a driver's own instrumentor makes it."""


TracedCursor.__module__ = "opentelemetry.instrumentation.dbapi"


def test_a_traced_cursor_runs_with_its_own_tracing_suppressed(traces: Traces) -> None:
    from opentelemetry.instrumentation.utils import is_instrumentation_enabled

    class Cursor:
        cursor = TracedCursor()

    def execute(*_: Any) -> bool:
        return is_instrumentation_enabled()

    assert connection.execute_wrappers is not None
    (observer,) = reversed(connection.execute_wrappers)
    context = {"connection": connection, "cursor": Cursor()}
    assert observer(execute, "SELECT 1", None, False, context) is False
    assert is_instrumentation_enabled()
    assert len(traces.observed) == 1
