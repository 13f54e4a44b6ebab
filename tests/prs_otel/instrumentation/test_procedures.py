from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import DatabaseError, connection
from django.db.backends.utils import CursorDebugWrapper, CursorWrapper
from opentelemetry.instrumentation.dbapi import (
    DatabaseApiIntegration,
    get_traced_cursor_proxy,
)

from prs_otel.instrumentation import database, procedures
from prs_otel.instrumentation.measuring import REFUSED, QueryRefusedError, mode
from prs_otel.observation import RequestContext, Thresholds
from prs_otel.request_context import current_request
from tests.support.traces import Traces, tracing

DJANGOS_OWN = CursorWrapper.callproc
SLOW_AT_ONCE = Thresholds(slow_query=-1)


class Driver:
    """A driver's cursor that knows stored procedures, which SQLite's does not."""

    def __init__(self, failure: Exception | None = None) -> None:
        self.called: list[object] = []
        self.failure = failure

    def callproc(self, *arguments: object) -> str:
        self.called.append(arguments)
        if self.failure is not None:
            raise self.failure
        return "a result"


class Identifier:
    """A name as psycopg composes it."""

    def as_string(self, context: object) -> str:
        return '"refresh"'


@pytest.fixture
def traces(monkeypatch: pytest.MonkeyPatch) -> Iterator[Traces]:
    found = tracing(Thresholds())
    found.set_globally(monkeypatch)
    database.install(thresholds=Thresholds)
    yield found
    database.uninstall()


def cursor(driver: object) -> CursorWrapper:
    return CursorWrapper(driver, connection)


def test_a_call_is_one_span_and_one_observation(traces: Traces) -> None:
    driver = Driver()
    request = RequestContext()
    token = current_request.set(request)
    result: Any = cursor(driver).callproc("reports.refresh", ["a secret"])
    current_request.reset(token)

    assert result == "a result"
    assert driver.called == [("reports.refresh", ["a secret"])]
    (span,) = traces.exported
    assert span.name == "CALL reports.refresh"
    assert span.attributes is not None
    assert span.attributes["db.query.text"] == "CALL reports.refresh"
    assert span.attributes["db.operation.name"] == "CALL"
    assert span.attributes["db.stored_procedure.name"] == "reports.refresh"
    assert "db.collection.name" not in span.attributes
    assert "secret" not in span.to_json()
    assert [found.kind for found in traces.observed] == ["query"]
    assert request.query_count == 1


def test_a_call_that_django_logs_is_one_span_too(traces: Traces) -> None:
    CursorDebugWrapper(Driver(), connection).callproc("refresh")

    assert [span.name for span in traces.exported] == ["CALL refresh"]


@pytest.mark.parametrize("name", ["refresh", Identifier()])
def test_a_name_may_be_composed(traces: Traces, name: Any) -> None:
    cursor(Driver()).callproc(name)

    assert [span.name for span in traces.exported] == ["CALL refresh"]


def test_a_call_that_fails_is_an_error(traces: Traces) -> None:
    with pytest.raises(DatabaseError):
        cursor(Driver(DatabaseError("a secret"))).callproc(procname="refresh")

    (span,) = traces.exported
    assert dict(span.attributes or {})["error.type"] == "django.db.utils.DatabaseError"
    assert [found.is_error for found in traces.observed] == [True]


def test_next_to_a_drivers_own_instrumentor_it_stays_one_span(traces: Traces) -> None:
    integration = DatabaseApiIntegration(
        "theirs", "sqlite", tracer_provider=traces.provider
    )
    proxy: Any = get_traced_cursor_proxy(Driver(), integration)
    cursor(proxy).callproc("refresh")

    assert [span.name for span in traces.exported] == ["CALL refresh"]


def test_code_that_must_not_query_cannot_call(traces: Traces) -> None:
    driver = Driver()
    token = mode.set(REFUSED)
    with pytest.raises(QueryRefusedError):
        cursor(driver).callproc("refresh")
    mode.reset(token)

    assert driver.called == []


def test_installing_again_replaces_what_was_given(traces: Traces) -> None:
    database.install(thresholds=lambda: SLOW_AT_ONCE)
    cursor(Driver()).callproc("refresh")

    (span,) = traces.exported
    assert "code.file.path" in dict(span.attributes or {})


def test_uninstalled_djangos_cursors_are_as_they_were(traces: Traces) -> None:
    kept = CursorWrapper.callproc
    assert kept is not DJANGOS_OWN
    database.uninstall()
    procedures.uninstall()

    assert CursorWrapper.callproc is DJANGOS_OWN
    # What somebody has wrapped or bound meanwhile still works.
    assert kept(cursor(Driver()), "refresh") == "a result"
    assert traces.observed == []
