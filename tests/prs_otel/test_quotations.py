from __future__ import annotations

import sqlite3
from typing import Any, NoReturn

import psycopg.errors
import pytest
from django.db import IntegrityError, connection
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import Status, StatusCode

from prs_otel import guard
from tests.support.traces import Traces, tracing

SECRET = "alice@example.org 4929123412341234"
DETAIL = f"duplicate key\nDETAIL:  Key (mail)=({SECRET}) already exists.\n{SECRET}: no"


class OutOfStockError(Exception):
    """An exception of the application's own."""


@pytest.fixture
def traces() -> Traces:
    return tracing()


def told(traces: Traces) -> str:
    """Return all that is exported."""
    return "".join(str(span.to_json()) for span in traces.exported)


def event(traces: Traces, name: str = "work") -> dict[str, Any]:
    (span,) = (span for span in traces.exported if span.name == name)
    (found,) = span.events
    return dict(found.attributes or {})


def fail(error: Exception, cause: Exception | None = None) -> NoReturn:
    raise error from cause


def run(traces: Traces, error: Exception, cause: Exception | None = None) -> None:
    tracer = traces.provider.get_tracer("application")
    with pytest.raises(type(error)), tracer.start_as_current_span("work"):
        fail(error, cause)


@pytest.mark.django_db
def test_the_application_s_span_around_a_query_keeps_no_value_of_it(
    traces: Traces,
) -> None:
    tracer = traces.provider.get_tracer("application")
    with (
        pytest.raises(Exception, match="4929"),
        tracer.start_as_current_span("outer"),
        tracer.start_as_current_span("work"),
        connection.cursor() as cursor,
    ):
        cursor.execute(f'SELECT * FROM "{SECRET}"')

    assert "alice" not in told(traces)
    assert "4929" not in told(traces)
    for name in ("work", "outer"):
        found = event(traces, name)
        assert found["exception.type"] == "django.db.utils.OperationalError"
        assert "exception.message" not in found
        assert "test_quotations.py" in found["exception.stacktrace"]
        assert "sqlite3.OperationalError" in found["exception.stacktrace"]
    assert [span.status.description for span in traces.exported] == [
        "django.db.utils.OperationalError"
    ] * 2


@pytest.mark.parametrize(
    "error",
    [
        IntegrityError(DETAIL),
        sqlite3.DataError(DETAIL),
        # Its name is none of PEP 249's.
        psycopg.errors.UniqueViolation(DETAIL),
    ],
)
def test_of_a_database_s_exception_class_and_places_are_left(
    traces: Traces, error: Exception
) -> None:
    run(traces, error)

    stack = event(traces)["exception.stacktrace"].splitlines()
    kind = f"{type(error).__module__}.{type(error).__name__}"
    assert (stack[0], stack[-1]) == ("Traceback (most recent call last):", kind)
    assert stack[-2].endswith("in fail")
    assert "alice" not in told(traces)
    assert "DETAIL" not in told(traces)


def test_what_a_database_s_exception_caused_may_quote_it(traces: Traces) -> None:
    run(traces, OutOfStockError(SECRET), IntegrityError(DETAIL))

    stack = event(traces)["exception.stacktrace"]
    assert "OutOfStockError" in stack
    assert "direct cause of the following exception" in stack
    assert "django.db.utils.IntegrityError" in stack
    assert "alice" not in told(traces)


def test_a_group_of_exceptions_may_quote_it(traces: Traces) -> None:
    run(traces, ExceptionGroup(SECRET, [ValueError(SECRET), IntegrityError(DETAIL)]))

    stack = event(traces)["exception.stacktrace"]
    assert "django.db.utils.IntegrityError" in stack
    assert "alice" not in told(traces)


def test_a_note_may_quote_it(traces: Traces) -> None:
    error = IntegrityError("duplicate key")
    error.add_note(f"while {SECRET} was saved")
    run(traces, error)

    assert "alice" not in told(traces)


def test_a_status_alone_is_redacted_by_the_name_in_it(traces: Traces) -> None:
    tracer = traces.provider.get_tracer("application")
    with (
        pytest.raises(IntegrityError),
        tracer.start_as_current_span("work", record_exception=False),
    ):
        raise IntegrityError(DETAIL)

    (span,) = traces.exported
    assert (span.status.status_code, span.status.description) == (
        StatusCode.ERROR,
        "IntegrityError",
    )


def test_other_exceptions_are_left_as_they_are(traces: Traces) -> None:
    run(traces, OutOfStockError("none left"), KeyError("red"))
    with traces.provider.get_tracer("application").start_as_current_span("told") as it:
        it.add_event("exception", {"exception.message": "none left"})
        it.add_event("stock", {"exception.type": "django.db.Error", "left": 0})
        it.set_status(Status(StatusCode.ERROR, "none left"))

    found = event(traces)
    assert found["exception.message"] == "none left"
    assert "KeyError: 'red'" in found["exception.stacktrace"]
    first, second = traces.exported
    assert first.status.description == "OutOfStockError: none left"
    assert second.status.description == "none left"
    assert [dict(each.attributes or {}) for each in second.events] == [
        {"exception.message": "none left"},
        {"exception.type": "django.db.Error", "left": 0},
    ]


def test_who_exports_before_we_look_is_handed_nothing_either() -> None:
    traces = tracing()
    first = InMemorySpanExporter()
    processors = traces.provider._active_span_processor
    processors._span_processors = (
        SimpleSpanProcessor(first),
        *processors._span_processors,
    )
    run(traces, IntegrityError(DETAIL))

    assert "alice" not in "".join(
        str(span.to_json()) for span in first.get_finished_spans()
    )


def test_a_failure_of_ours_does_not_reach_the_application(
    traces: Traces, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guard, "reraise", False)
    monkeypatch.setattr("prs_otel.quotations.redact", None)
    guard.reset()
    run(traces, IntegrityError("duplicate key"))

    assert guard.report() == {"processor.on_ending": 1}
