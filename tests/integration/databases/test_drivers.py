"""Beside the instrumentors of the drivers: still one span for each query."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from typing import Any, Final

import pytest

from prs_otel.instrumentation.database import unmeasured
from prs_otel.instrumentation.driver_spans import _KINDS_LIMIT, _kinds
from tests.support.databases import Database
from tests.support.traces import Traces

THEIRS: Final = "opentelemetry.instrumentation"


@pytest.fixture
def instrumentor(database: Database, traces: Traces) -> Iterator[None]:
    """Let the driver be instrumented as well, in the connections opened from now on."""
    module, name = _instrumentor(database)
    found: Any = getattr(importlib.import_module(f"{THEIRS}.{module}"), name)()
    found.instrument(tracer_provider=traces.provider)
    database.connection.close()
    yield
    database.connection.close()
    found.uninstrument()


def _instrumentor(database: Database) -> tuple[str, str]:
    if database.system == "sqlite":
        return "sqlite3", "SQLite3Instrumentor"
    if database.system == "postgresql":
        return "psycopg", "PsycopgInstrumentor"
    if sys.modules["MySQLdb"].__name__ == "pymysql":
        return "pymysql", "PyMySQLInstrumentor"
    return "mysqlclient", "MySQLClientInstrumentor"


def scopes(traces: Traces) -> list[str]:
    found = (span.instrumentation_scope for span in traces.exported)
    return [scope.name for scope in found if scope is not None]


@pytest.mark.usefixtures("instrumentor")
def test_a_query_is_one_span_and_it_is_ours(database: Database, traces: Traces) -> None:
    database.connection.ensure_connection()
    traces.exporter.clear()  # what Django has asked the driver itself
    database.authors.create(name="Ada")
    list(database.authors.iterator(chunk_size=1))
    with database.connection.cursor() as cursor:
        cursor.executemany("INSERT INTO library_author (name) VALUES (%s)", [("B",)])

    assert scopes(traces) == ["prs_otel.instrumentation.database"] * 3


@pytest.mark.usefixtures("instrumentor")
def test_a_query_that_is_not_measured_makes_no_span_of_theirs(
    database: Database, traces: Traces
) -> None:
    database.connection.ensure_connection()
    traces.exporter.clear()
    with unmeasured():
        database.run("SELECT 1")

    assert scopes(traces) == []


@pytest.mark.usefixtures("instrumentor")
def test_what_is_known_of_their_cursors_does_not_grow_with_the_connections(
    database: Database, traces: Traces
) -> None:
    for _ in range(_KINDS_LIMIT + 10):
        database.run("SELECT 1")
        database.connection.close()

    assert len(_kinds) <= _KINDS_LIMIT


@pytest.mark.usefixtures("instrumentor")
def test_what_the_application_asks_the_driver_itself_is_theirs(
    database: Database, traces: Traces
) -> None:
    database.connection.ensure_connection()
    traces.exporter.clear()
    database.connection.connection.cursor().execute("SELECT 1")

    (scope,) = scopes(traces)
    assert scope.startswith(THEIRS)


def test_without_their_instrumentor_nothing_is_suppressed(
    database: Database, traces: Traces
) -> None:
    database.run("SELECT 1")

    assert scopes(traces) == ["prs_otel.instrumentation.database"]
