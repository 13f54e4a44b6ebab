"""SQL to try on whatever reads SQL: texts of any kind, and statements as people write them.

A text has secrets planted in it, each unlike any other, so that a test can tell which of
them a database would take for a literal. A statement is filled in with literals of a
database, and is itself what must be left of that.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from random import Random
from typing import Any, Final

from hypothesis import strategies as st

VENDORS: Final = ("postgresql", "sqlite", "mysql", "oracle", "microsoft", "unknown")

# --- texts of any kind: the pieces that scanners stumble over --------------------------

# fmt: off
PIECES: Final = [
    "'", "'", "''", "'''", '"', '""', "`", "\\", "\\'", "E'", "e'", "N'", "x'", "B'", "U&'",
    "q'", "nq'", "q'[", "]'", "Q'(", ")'", "$$", "$", "$t$", "$t", "--", "-- ", "#", "/*",
    "/*", "*/", "*/", "/*!", "/*M!", "/*+", " ", " ", "\n", "\n", "\r", "\r\n", "\t", "\f",
    "\x1c", "\u00a0", "\ud800", "(", ")", "[", "]", "{", "}", ",", ";", ".", ":", "::",
    ":=", "?", "?1", "%", "%%", "%s", "%(a)s", "@", "@@", "$5", "£5", "1", "12", ".5", "1.",
    "1e", "e+", "0x", "a", "a$", "a#", "_", "é", "€", "²", "=", "<", "-", "+", "*", "/",
    "|", "&", "^", "SELECT ", " FROM ", " IN (", "VALUES (", "LIKE ", "NULL", "SAVEPOINT ",
    "WITH ", " AS (",
]
# fmt: on
SECRET_WORD, SECRET_NUMBER = object(), object()
texts = st.lists(
    st.one_of(st.sampled_from(PIECES), st.sampled_from([SECRET_WORD, SECRET_NUMBER])),
    max_size=40,
)


def many_texts(seed: int, count: int) -> Iterator[list[Any]]:
    """Return texts faster than they can be drawn, and longer, but not shrunk."""
    random = Random(seed)
    for _ in range(count):
        pieces: list[Any] = []
        for _ in range(random.randint(1, 25)):
            pieces += random.choices(PIECES, k=random.randint(1, 3))
            secrets = [SECRET_WORD, SECRET_NUMBER]
            pieces += random.choices(secrets, [5, 2], k=random.randint(0, 1))
        yield pieces


def planted(pieces: list[Any]) -> tuple[str, list[str]]:
    """Return the text that the pieces make, and each secret in it, unlike any other."""
    secrets = []
    text = ""
    for place, piece in enumerate(pieces):
        if isinstance(piece, str):
            text += piece
            continue
        letters = "".join(chr(ord("g") + int(digit)) for digit in str(place))
        secrets.append(f"zq{letters}z" if piece is SECRET_WORD else f"9{place:03}8")
        text += secrets[-1]
    return text, secrets


# --- statements as people write them ---------------------------------------------------

CONDITIONS: Final = [
    "a = ?",
    "b.c <> ?",
    "d IN (?)",
    "e NOT IN (?)",
    "LOWER(f) LIKE ?",
    "g BETWEEN ? AND ?",
    "h IS NULL",
    "COALESCE(i, ?) > ?",
    "(j, k) IN ((?))",
    "l IN (SELECT m FROM n WHERE o = ?)",
]
HEADS: Final = [
    "SELECT a, ? FROM t1 WHERE",
    "UPDATE t1 SET a = ?, b1 = ? WHERE",
    "DELETE FROM t1 WHERE",
    "INSERT INTO t1 (a, b) SELECT c, ? FROM d WHERE",
    "WITH x AS (SELECT a FROM b WHERE c = ?) SELECT d FROM x WHERE",
]
INSERT: Final = "INSERT INTO t1 (a, b, c1) VALUES (?)"
BLANKS: Final = [" ", "\n", "  \t", "\r\n", " /* it's \" $$ */ ", " -- it's\n"]

# Each may be followed by any other; none says anything about the value behind it.
statements = st.one_of(
    st.just(INSERT),
    st.builds(
        lambda head, conditions: f"{head} {' AND '.join(conditions)}",
        st.sampled_from(HEADS),
        st.lists(st.sampled_from(CONDITIONS), min_size=1, max_size=5),
    ),
)
sizes = st.integers(1, 4)
values = st.text(alphabet="ab '\"\\`$-/*#;\n\r\t(),.?%:[]{}@&é€5_", max_size=12)
numbers = st.one_of(
    st.integers(-(10**12), 10**12).map(str),
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
    st.integers(0, 2**64).map(hex),
)


def doubled(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def escaped(value: str, quote: str = "'") -> str:
    return quote + value.replace("\\", "\\\\").replace(quote, "\\" + quote) + quote


STRINGS: Final[dict[str, list[Callable[[str], str]]]] = {
    "postgresql": [
        doubled,
        lambda value: "E" + escaped(value),
        lambda value: "N" + doubled(value),
        lambda value: f"$q1${value.replace('$q', '')}.$q1$",
        lambda value: f"$${value.replace('$', '')}$$",
    ],
    "sqlite": [doubled, lambda value: f"x'{value.encode().hex()}'"],
    "mysql": [
        escaped,
        lambda value: doubled(value.replace("\\", "")),
        lambda value: escaped(value, '"'),
        lambda value: "N" + escaped(value),
    ],
    "oracle": [
        doubled,
        lambda value: f"q'[{value.replace(']', '')}]'",
        lambda value: f"Nq'!{value}!'",
    ],
    "microsoft": [doubled, lambda value: "N" + doubled(value)],
    "unknown": [lambda value: doubled("." + value.replace("\\", ""))],
}


def literals(vendor: str) -> st.SearchStrategy[str]:
    strings = st.builds(
        lambda write, value: write(f"{value}s3cr3t{value}"),
        st.sampled_from(STRINGS[vendor]),
        values,
    )
    return st.one_of(strings, numbers, st.sampled_from(["%s", "%(a)s", "?", "$1"]))


@st.composite
def filled(draw: st.DrawFn, statement: str, vendor: str) -> str:
    """Return a statement with literals and other blanks, its lists of any length."""
    value = literals(vendor)

    def many(separator: str, one: st.SearchStrategy[str]) -> str:
        return separator.join(draw(st.lists(one, min_size=1, max_size=4)))

    def row() -> str:
        return f"({many(', ', value)})"

    parts = re.split(r"(VALUES \(\?\)|IN \(\(\?\)\)|IN \(\?\)|\?)", statement)
    for place, part in enumerate(parts):
        if part == "?":
            parts[place] = draw(value)
        elif part == "IN (?)":
            parts[place] = f"IN {row()}"
        elif part == "IN ((?))":
            parts[place] = f"IN ({', '.join(row() for _ in range(draw(sizes)))})"
        elif part == "VALUES (?)":
            parts[place] = f"VALUES {', '.join(row() for _ in range(draw(sizes)))}"
        else:
            parts[place] = re.sub(" ", lambda _: draw(st.sampled_from(BLANKS)), part)
    return "".join(parts)
