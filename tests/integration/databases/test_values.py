"""Whatever a database itself takes for a value is hidden: the database is the oracle.

Random texts are run; most are refused, and of the others the database says which words
were values, by returning them.
"""

from __future__ import annotations

import contextlib
import random
from collections.abc import Iterator
from typing import Any, Final

import pytest

from prs_otel.instrumentation.fingerprint import fingerprint
from prs_otel.instrumentation.server import server_of
from tests.support.databases import Database, registered

TEXTS: Final = 8_000
WORD: Final = "W"  # stands for a word that is nowhere else

COMMON: Final = [
    *("'", "'", "'", "''", "\\", "\\'", "--", "\n", "\r", "/*", "*/", "/*", "*/"),
    *(" ", " ", ",", ", ", "||", "(", ")", "a", "1", "E", "#", "é", "-", "AS "),
    *(WORD, WORD, WORD, WORD),
]
OWN: Final = {
    "sqlite": ["x'", "`", "[", "]"],
    "postgresql": [
        *("E'", "e'", "U&'", "B'", "X'", "N'", "q'", '"', "$$", "$$", "$a$", "$a$"),
        *("$", "::", "::text", f"{WORD}$$", "@", "_", "?"),
    ],
    "mariadb": [
        *('"', '"', '""', '\\"', "_utf8mb4'", "_utf8mb4 '", "n'", "x'", "b'", "`"),
        *("-- ", "/*!", "/*M!", "/*!50000 ", "/*+ ", "@a", "@'a'", "0x", ".", "?"),
    ],
}
# Settings under which quotes mean something else; what then holds is for us to notice.
UNUSUAL: Final = {
    "postgresql": [{"options": "-c standard_conforming_strings=off"}],
    "mariadb": [
        {"init_command": "SET sql_mode = 'NO_BACKSLASH_ESCAPES'"},
        {"init_command": "SET sql_mode = 'ANSI_QUOTES,PIPES_AS_CONCAT'"},
    ],
}


@pytest.mark.filterwarnings("ignore")  # of the drivers, about escapes of ours
def test_what_the_database_takes_for_a_value_is_never_told(database: Database) -> None:
    assert revealed(database) == []


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("database", ["postgresql", "mariadb"], indirect=True)
def test_where_quotes_mean_something_else_values_are_not_told_either(
    database: Database,
) -> None:
    for options in UNUSUAL[database.system]:
        entry = {**database.entry, "OPTIONS": options}
        with registered(database.system, entry) as unusual:
            assert revealed(unusual) == []


def revealed(database: Database) -> list[str]:
    """Return the texts of which a value is told."""
    database.connection.ensure_connection()
    dialect = server_of(database.connection).dialect
    found, hidden = [], 0
    for sql, words in texts(database):
        values = returned(database, sql)
        statement = fingerprint(sql, dialect)
        told = "\n".join((statement.text, *statement[2:]))
        for word in words:
            if word in values and word in told:
                found.append(sql)
            hidden += word in values
    assert hidden > TEXTS / 400  # else nothing was tested
    return found


def texts(database: Database) -> Iterator[tuple[str, list[str]]]:
    choose = random.Random(database.system)
    pieces = COMMON + OWN[database.system]
    for number in range(TEXTS):
        chosen = choose.choices(pieces, k=choose.randrange(3, 14))
        words = [f"zq{number}x{place}z" for place in range(len(chosen))]
        spelt = zip(chosen, words, strict=True)
        sql = "".join(piece.replace(WORD, word) for piece, word in spelt)
        yield f"SELECT {sql}", words


def returned(database: Database, sql: str) -> str:
    """Return the values a query results in, "" where it is refused."""
    driver: Any = database.connection.connection
    with contextlib.closing(driver.cursor()) as cursor:
        try:
            cursor.execute(sql)
            rows = cursor.fetchall()
        except database.connection.Database.Error:
            return ""
    return str([_text(value) for row in rows for value in row])


def _text(value: object) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)
