"""What only MariaDB and MySQL have."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any, Final

import pytest
from django.db import OperationalError

from prs_otel.instrumentation.database import unmeasured
from tests.support.databases import Database, registered
from tests.support.traces import Traces
from tests.support.wait import wait_until

SECRET: Final = "a secret"

pytestmark = pytest.mark.parametrize("database", ["mariadb"], indirect=True)


def said(traces: Traces, number: int = -1) -> dict[str, Any]:
    return dict(traces.exported[number].attributes or {})


@pytest.fixture
def received(database: Database) -> Iterator[Any]:
    """Return a function that says which statements the server was sent meanwhile."""
    with unmeasured():
        database.run("SET GLOBAL log_output = 'TABLE'")
        database.run("TRUNCATE mysql.general_log")
        database.run("SET GLOBAL general_log = ON")

    def statements() -> list[str]:
        with unmeasured(), database.connection.cursor() as cursor:
            cursor.execute(
                "SELECT convert(argument USING utf8mb4) FROM mysql.general_log "
                "WHERE command_type = 'Query' AND argument NOT LIKE '%%general_log%%'"
            )
            return [row[0] for row in cursor.fetchall()]

    yield statements
    with unmeasured():
        database.run("SET GLOBAL general_log = OFF")


def test_to_tell_it_from_mysql_takes_no_query(
    database: Database, traces: Traces, received: Any
) -> None:
    database.connection.close()
    database.run("SELECT 1 FROM library_author")

    assert said(traces)["db.system.name"] == "mariadb"
    sent = [text for text in received() if not text.startswith("SET ")]
    assert sent == ["SELECT 1 FROM library_author"]


def test_what_django_asks_a_server_about_itself_is_no_query(
    database: Database, traces: Traces, received: Any
) -> None:
    database.connection.close()
    vars(database.connection).pop("mysql_server_data", None)

    assert "MariaDB" in database.connection.mysql_server_data["version"]

    assert any("VERSION()" in text for text in received())
    assert traces.exported == ()


def test_what_django_asks_to_know_the_server_is_no_query_of_who_connects_first(
    database: Database, traces: Traces
) -> None:
    fresh: Any = database.connection.copy()
    try:
        # As a request does that compiles a query before it has connected.
        assert fresh.mysql_is_mariadb
        assert [span.name for span in traces.exported] == []
        with fresh.cursor() as cursor:
            cursor.execute("SELECT VERSION(), 1")
    finally:
        fresh.close()

    assert [each.kind for each in traces.observed] == ["query"]


@pytest.mark.parametrize(
    ("mode", "sql", "text"),
    [
        (
            "NO_BACKSLASH_ESCAPES",
            r"SELECT 'C:\', 'a secret' FROM library_author",
            "SELECT ?",
        ),
        (
            "ANSI_QUOTES",
            r"""SELECT 1 AS "a\", 'it"s a secret' FROM library_author""",
            "SELECT ? AS ?",
        ),
        (
            "NO_BACKSLASH_ESCAPES",
            "SELECT 'plain' FROM `library_author`",
            "SELECT ? FROM `library_author`",
        ),
    ],
)
def test_modes_that_change_what_a_quote_means_show_no_value(
    database: Database, traces: Traces, mode: str, sql: str, text: str
) -> None:
    options = {"init_command": f"SET sql_mode = '{mode}'"}
    with registered("mariadb", {**database.entry, "OPTIONS": options}) as unusual:
        unusual.run(sql)

    assert said(traces)["db.query.text"] == text


def test_what_is_called_is_named_as_a_stored_procedure(
    database: Database, traces: Traces
) -> None:
    with unmeasured():
        database.run("CREATE OR REPLACE PROCEDURE greet(IN who varchar(20)) SELECT who")
    with database.connection.cursor() as cursor:
        cursor.callproc("greet", [SECRET])
        assert cursor.fetchone() == (SECRET,)
        while cursor.nextset():
            pass
        cursor.execute(f"CALL `greet`('{SECRET}')")

    assert [span.name for span in traces.exported] == ["CALL greet"] * 2
    for number in range(2):
        assert said(traces, number)["db.operation.name"] == "CALL"
        assert said(traces, number)["db.stored_procedure.name"] == "greet"
        assert "db.collection.name" not in said(traces, number)
        assert SECRET not in traces.exported[number].to_json()


def test_a_connection_that_dies_in_a_query_is_an_error_of_that_query(
    database: Database, traces: Traces
) -> None:
    with unmeasured(), database.connection.cursor() as cursor:
        cursor.execute("SELECT connection_id()")
        number = cursor.fetchone()[0]
    killer = threading.Thread(target=_kill, args=(database, number))
    killer.start()
    with pytest.raises(OperationalError):
        database.run("SELECT sleep(30) FROM (SELECT 1) one")
    killer.join()
    database.connection.close()
    database.run("SELECT 1 FROM library_author")

    assert said(traces, 0)["error.type"] == "django.db.utils.OperationalError"
    assert traces.exported[1].name == "SELECT library_author"
    assert [found.is_error for found in traces.observed] == [True, False]
    assert traces.observed[0].duration < 29e9


def _kill(database: Database, number: int) -> None:
    with unmeasured(), database.connection.cursor() as cursor:

        def is_sleeping() -> bool:
            cursor.execute(
                "SELECT count(*) FROM information_schema.processlist "
                f"WHERE id = {number} AND info LIKE '%sleep(30)%'"
            )
            return bool(cursor.fetchone()[0])

        wait_until(is_sleeping)
        cursor.execute(f"KILL {number}")
    database.connection.close()
