"""What only PostgreSQL and psycopg have."""

from __future__ import annotations

import threading
from typing import Any, Final

import pytest
from django.db import OperationalError, connections, transaction
from psycopg import sql

from prs_otel.instrumentation.database import open_connections, unmeasured
from tests.support.databases import Database, registered
from tests.support.traces import Traces
from tests.support.wait import wait_until

SECRET: Final = "a secret"
THREADS: Final = 6

pytestmark = pytest.mark.parametrize("database", ["postgresql"], indirect=True)


def said(traces: Traces, number: int = -1) -> dict[str, Any]:
    return dict(traces.exported[number].attributes or {})


def selected(database: Database, query: str) -> Any:
    """Return the first value of a query that nobody observes."""
    with unmeasured(), database.connection.cursor() as cursor:
        cursor.execute(query)
        return cursor.fetchone()[0]


@pytest.mark.parametrize("is_atomic", [True, False], ids=["atomic", "autocommit"])
def test_a_cursor_on_the_server_is_one_query_however_often_it_is_asked(
    database: Database, traces: Traces, is_atomic: bool
) -> None:
    with unmeasured():
        for number in range(7):
            database.authors.create(name=f"Author {number}")

    def read() -> list[str]:
        rows = database.authors.order_by("pk").iterator(chunk_size=2)
        first = next(rows)
        assert selected(
            database, "SELECT count(*) FROM pg_cursors WHERE is_holdable"
        ) == (0 if is_atomic else 1)
        return [author.name for author in (first, *rows)]

    if is_atomic:
        with transaction.atomic(database.alias):
            assert len(read()) == 7
    else:
        assert len(read()) == 7

    (span,) = traces.exported
    assert span.name == "SELECT library_author"
    assert said(traces)["db.query.text"].startswith("SELECT ")
    assert len(traces.observed) == 1


def test_statements_that_psycopg_composes_are_read_like_any(
    database: Database, traces: Traces
) -> None:
    composed: Any = sql.SQL("SELECT {} FROM {} WHERE name = {}").format(
        sql.Identifier("name"), sql.Identifier("library_author"), sql.Literal(SECRET)
    )
    database.run(composed)
    database.run('SELECT "name" FROM "library_author" WHERE name = %s', ["Ada"])

    first, second = (said(traces, number) for number in range(2))
    assert first == second
    assert first["db.collection.name"] == "library_author"
    assert SECRET not in traces.exported[0].to_json()


def test_what_is_called_is_named_as_a_stored_procedure(
    database: Database, traces: Traces
) -> None:
    with unmeasured():
        database.run(
            "CREATE OR REPLACE FUNCTION greet(who text) RETURNS text "
            "LANGUAGE sql AS $$ SELECT who $$"
        )
        database.run(
            "CREATE OR REPLACE PROCEDURE refresh(who text) "
            "LANGUAGE plpgsql AS $$ BEGIN PERFORM who; END $$"
        )
    with database.connection.cursor() as cursor:
        cursor.callproc("greet", [SECRET])
        assert cursor.fetchone() == (SECRET,)
        cursor.execute(f"CALL refresh('{SECRET}')")

    assert [span.name for span in traces.exported] == ["CALL greet", "CALL refresh"]
    for number, name in enumerate(["greet", "refresh"]):
        assert said(traces, number)["db.operation.name"] == "CALL"
        assert said(traces, number)["db.stored_procedure.name"] == name
        assert "db.collection.name" not in said(traces, number)
        assert SECRET not in traces.exported[number].to_json()


def test_a_server_that_takes_backslashes_for_escapes_shows_no_value(
    database: Database, traces: Traces
) -> None:
    options = {"options": "-c standard_conforming_strings=off"}
    with registered("postgresql", {**database.entry, "OPTIONS": options}) as old:
        # Read by today's rules, the second string would begin where it ends.
        old.run(r"SELECT 'it\'s', 'a secret' FROM library_author")
        old.run("SELECT 'plain', 'a secret' FROM library_author")

    texts = [said(traces, number)["db.query.text"] for number in range(2)]
    assert texts == ["SELECT ?", "SELECT ?, ? FROM library_author"]


def test_a_connection_that_dies_in_a_query_is_an_error_of_that_query(
    database: Database, traces: Traces
) -> None:
    pid = selected(database, "SELECT pg_backend_pid()")
    killer = threading.Thread(target=_kill, args=(database, pid))
    killer.start()
    with pytest.raises(OperationalError):
        database.run("SELECT pg_sleep(30)")
    killer.join()
    database.connection.close()
    database.run("SELECT 1 FROM library_author")

    assert [span.name for span in traces.exported] == [
        "SELECT",
        "SELECT library_author",
    ]
    assert said(traces, 0)["error.type"] == "django.db.utils.OperationalError"
    assert [found.is_error for found in traces.observed] == [True, False]
    assert traces.observed[0].duration < 29e9


def _kill(database: Database, pid: int) -> None:
    sleeping = f"SELECT count(*) FROM pg_stat_activity WHERE pid = {pid} AND query LIKE '%pg_sleep(30)%'"
    wait_until(lambda: selected(database, sleeping))
    selected(database, f"SELECT pg_terminate_backend({pid})")
    database.connection.close()


def test_every_thread_of_a_pool_is_observed_and_all_its_connections_count(
    database: Database, traces: Traces
) -> None:
    options = {"pool": {"min_size": 1, "max_size": 3, "timeout": 20}}
    with registered("postgresql", {**database.entry, "OPTIONS": options}) as pooled:

        def work() -> None:
            for _ in range(5):
                pooled.run("SELECT 1 FROM library_author")
                pooled.connection.close()

        threads = [threading.Thread(target=work) for _ in range(THREADS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        pooled.run("SELECT 1 FROM library_author")
        counted = open_connections()[pooled.alias]

    assert [span.name for span in traces.exported] == ["SELECT library_author"] * 31
    assert {found.labels[0] for found in traces.observed} == {pooled.alias}
    assert 1 <= counted <= 3
    assert connections.settings.get(pooled.alias) is None
