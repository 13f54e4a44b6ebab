"""Whatever a database itself takes for a value is hidden: the database is the oracle.

Random texts are run; some are refused, and of the others the database says which words
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

TEXTS: Final = 4_000
WORD: Final = "W"  # stands for a word that is nowhere else

# What may be within quotes, and around them.
INNER: Final = [
    WORD,
    WORD,
    WORD,
    "\\",
    "\\'",
    "''",
    "--",
    "/*",
    "*/",
    "#",
    " ",
    "'",
    "$$",
    '"',
]
BETWEEN: Final = [
    ", ",
    ", ",
    ", ",
    " ",
    "\n",
    " -- W\n",
    " /* W */ ",
    "/*W*/,",
    "||",
    ",",
]
QUOTES: Final = {
    "sqlite": ["''", "''", "x''"],
    "postgresql": ["''", "''", "E''", "e''", "U&''", "N''", "$$$$", "$a$$a$"],
    "mariadb": ["''", "''", '""', '""', "n''", "_utf8mb4''", "x''"],
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
    assert hidden > TEXTS / 20  # else nothing was tested
    return found


def texts(database: Database) -> Iterator[tuple[str, list[str]]]:
    """Return queries of a few strings each, and the words that are in them."""
    choose = random.Random(database.system)
    for number in range(TEXTS):
        literals = (_literal(database, choose) for _ in range(choose.randrange(1, 5)))
        sql = "".join(each + choose.choice(BETWEEN) for each in literals) + "1"
        pieces = sql.split(WORD)
        words = [f"zq{number}x{place}z" for place in range(len(pieces) - 1)]
        spelt = "".join(map("".join, zip(pieces, [*words, ""], strict=True)))
        yield f"SELECT {spelt}", words


def _literal(database: Database, choose: random.Random) -> str:
    quotes = choose.choice(QUOTES[database.system])
    # The second half closes: the last quote, or a whole mark between dollars.
    end = len(quotes) // 2 if "$" in quotes else len(quotes) - 1
    inner = "".join(choose.choices(INNER, k=choose.randrange(6)))
    return f"{quotes[:end]}{inner}{quotes[end:]}"


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
