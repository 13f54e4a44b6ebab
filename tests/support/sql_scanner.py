"""Scan SQL character by character, as the databases' own scanners do.

Written apart from what it judges and in another way, without regular expressions: each
database is a list of rules that are tried in order where a token starts. It says which
stretches of a text are literals or comments, so that a test can ask what became of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

BLANKS: Final = " \t\n\r\f\v"
DIGITS: Final = "0123456789"
CLOSING: Final = {"[": "]", "{": "}", "(": ")", "<": ">"}


class Token(NamedTuple):
    """A stretch of a text; "string", "number" and "comment" are what must be hidden."""

    kind: str
    text: str


class Cursor:
    """A place in a text that only moves forward."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.is_executed = False  # within MySQL's `/*! … */`

    @property
    def is_done(self) -> bool:
        return self.at >= len(self.text)

    def peek(self, ahead: int = 0) -> str:
        """Return the next character, or a null character at the end of the text."""
        place = self.at + ahead
        return self.text[place] if place < len(self.text) else "\0"

    def sees(self, *marks: str) -> bool:
        return any(self.text.startswith(mark, self.at) for mark in marks)

    def move_to(self, *marks: str) -> None:
        """Move to the first of the marks, or to the end."""
        found = (self.text.find(mark, self.at) for mark in marks)
        self.at = min((at for at in found if at >= 0), default=len(self.text))

    def move_behind(self, mark: str) -> None:
        self.move_to(mark)
        self.at = min(self.at + len(mark), len(self.text))

    def move_while(self, is_wanted: Callable[[str], bool]) -> None:
        while not self.is_done and is_wanted(self.peek()):
            self.at += 1

    def move_over_quoted(self, *, escape: bool = False) -> None:
        """Move behind the closing quote; a doubled one does not close."""
        quote = CLOSING.get(self.peek(), self.peek())
        self.at += 1
        while not self.is_done:
            if self.sees(quote + quote) or (escape and self.sees("\\")):
                self.at += 2
            else:
                self.at += 1
                if self.text[self.at - 1] == quote:
                    return


Rule = Callable[[Cursor], str]  # moves behind a token and names its kind, or returns ""


def line_comment(mark: str, *, ends: str = "\n", needs_blank: bool = False) -> Rule:
    def rule(cursor: Cursor) -> str:
        is_blank = cursor.peek(len(mark)) <= " "
        if not cursor.sees(mark) or (needs_blank and not is_blank):
            return ""
        cursor.move_to(*ends)
        return "comment"

    return rule


def flat_comment(cursor: Cursor) -> str:
    if not cursor.sees("/*"):
        return ""
    cursor.at += 2
    cursor.move_behind("*/")
    return "comment"


def nested_comment(cursor: Cursor) -> str:
    depth = 0
    while cursor.sees("/*") or (depth and not cursor.is_done):
        if cursor.sees("/*", "*/"):
            depth += 1 if cursor.sees("/*") else -1
            cursor.at += 2
        else:
            cursor.at += 1
        if not depth:
            return "comment"
    return "comment" if depth else ""


def executed_comment(cursor: Cursor) -> str:
    """Scan only the marks of `/*! … */`: what is between them is run by MySQL."""
    if cursor.sees("/*!", "/*M!", "/*+"):
        cursor.move_behind("+" if cursor.sees("/*+") else "!")
        cursor.is_executed = True
        return "comment"
    if cursor.is_executed and cursor.sees("*/"):
        cursor.at += 2
        cursor.is_executed = False
        return "comment"
    return ""


def skipped_comment(cursor: Cursor) -> str:
    """Scan the same comment for a server whose version is too old for it."""
    return nested_comment(cursor) if cursor.sees("/*!", "/*M!", "/*+") else ""


def quoted(
    kind: str, quotes: str, *, prefixes: tuple[str, ...] = (), escape: bool = False
) -> Rule:
    def rule(cursor: Cursor) -> str:
        for prefix in ("", *prefixes):
            start = cursor.text[cursor.at : cursor.at + len(prefix)]
            if start.upper() == prefix and cursor.peek(len(prefix)) in quotes:
                cursor.at += len(prefix)
                cursor.move_over_quoted(escape=escape)
                return kind
        return ""

    return rule


def bracketed(cursor: Cursor) -> str:
    """Scan SQLite's [name], in which no bracket can be doubled."""
    if not cursor.sees("["):
        return ""
    cursor.move_behind("]")
    return "name"


def escape_string(cursor: Cursor) -> str:
    """Scan PostgreSQL's E'…', which goes on where a string starts behind a newline."""
    if cursor.peek() not in "eE" or cursor.peek(1) != "'":
        return ""
    cursor.at += 1
    while True:
        cursor.move_over_quoted(escape=True)
        end = cursor.at
        if not (_has_newline(cursor) and cursor.sees("'")):
            cursor.at = end
            return "string"


def _has_newline(cursor: Cursor) -> bool:
    start = cursor.at
    while cursor.peek() in BLANKS or cursor.sees("--"):
        if cursor.sees("--"):
            cursor.move_to("\n", "\r")
        else:
            cursor.at += 1
    between = cursor.text[start : cursor.at]
    return "\n" in between or "\r" in between


def dollar(cursor: Cursor) -> str:
    if cursor.peek() != "$":
        return ""
    start = cursor.at
    cursor.at += 1
    if cursor.peek() in DIGITS:
        cursor.move_while(lambda char: char in DIGITS)
        return "parameter"
    cursor.move_while(lambda char: is_name_part(char) and char != "$")
    if cursor.peek() != "$":
        cursor.at = start + 1
        return "operator"
    cursor.at += 1
    cursor.move_behind(cursor.text[start : cursor.at])
    return "string"


def alternative_quote(cursor: Cursor) -> str:
    """Scan Oracle's q'[…]'."""
    length = 2 if cursor.peek() in "nN" else 1
    mark = cursor.peek(length + 1)
    is_start = cursor.peek(length - 1) in "qQ" and cursor.peek(length) == "'"
    if not is_start or mark in BLANKS + "\0":
        return ""
    cursor.at += length + 2
    cursor.move_behind(CLOSING.get(mark, mark) + "'")
    return "string"


def tcl_variable(cursor: Cursor) -> str:
    """Scan SQLite's $name::name(anything without a blank)."""
    if cursor.peek() not in "$@#:":
        return ""
    cursor.at += 1
    length = 0
    while is_name_part(cursor.peek()) or cursor.sees("::"):
        is_part = is_name_part(cursor.peek())
        length += is_part
        cursor.at += 1 if is_part else 2
    if length and cursor.sees("("):
        cursor.move_while(lambda char: char not in BLANKS + ")")
        cursor.at += cursor.sees(")")
    return "parameter"


def number(cursor: Cursor) -> str:
    if cursor.peek() not in DIGITS and not (
        cursor.sees(".") and cursor.peek(1) in DIGITS
    ):
        return ""
    cursor.move_while(lambda char: char in DIGITS + ".")
    sign = cursor.peek(1) in "+-"
    if cursor.peek() in "eE" and cursor.peek(1 + sign) in DIGITS:
        cursor.at += 1 + sign
        cursor.move_while(lambda char: char in DIGITS)
    return "number"


def word(*, starts: str = "", parts: str = "") -> Rule:
    def rule(cursor: Cursor) -> str:
        if not is_name_start(cursor.peek()) and cursor.peek() not in starts:
            return ""
        cursor.move_while(lambda char: is_name_part(char) or char in parts)
        return "word"

    return rule


def operator(cursor: Cursor) -> str:
    cursor.at += 1
    return "operator"


def is_name_start(char: str) -> bool:
    return (char.isascii() and char.isalpha()) or char == "_" or char > "\x7f"


def is_name_part(char: str) -> bool:
    return is_name_start(char) or char in DIGITS + "$"


_MYSQL: Final[tuple[Rule, ...]] = (
    flat_comment,
    line_comment("--", needs_blank=True),
    line_comment("#"),
    quoted("string", "'", prefixes=("X", "B", "N"), escape=True),
    quoted("string", '"', escape=True),
    quoted("name", "`"),
    number,
    word(),
    operator,
)
# By Django's vendor: all that a text may mean to such a database.
RULES: Final[dict[str, tuple[tuple[Rule, ...], ...]]] = {
    "postgresql": (
        (
            nested_comment,
            line_comment("--", ends="\n\r"),
            escape_string,
            quoted("string", "'", prefixes=("B", "X", "N", "U&")),
            quoted("name", '"', prefixes=("U&",)),
            dollar,
            number,
            word(),
            operator,
        ),
    ),
    "sqlite": (
        (
            flat_comment,
            line_comment("--"),
            quoted("string", "'", prefixes=("X",)),
            quoted("name", '"`'),
            bracketed,
            tcl_variable,
            number,
            word(),
            operator,
        ),
    ),
    "mysql": ((executed_comment, *_MYSQL), (skipped_comment, *_MYSQL)),
    "oracle": (
        (
            flat_comment,
            line_comment("--"),
            alternative_quote,
            quoted("string", "'", prefixes=("N",)),
            quoted("name", '"'),
            number,
            word(parts="#"),
            operator,
        ),
    ),
    "microsoft": (
        (
            nested_comment,
            line_comment("--"),
            quoted("string", "'", prefixes=("N",)),
            quoted("string", '"'),
            quoted("name", "["),
            number,
            word(starts="@#", parts="@#"),
            operator,
        ),
    ),
}
RULES["unknown"] = tuple(rules for found in RULES.values() for rules in found)


def tokens(text: str, rules: tuple[Rule, ...]) -> Iterator[Token]:
    """Return the tokens of a text by the rules of one database."""
    cursor = Cursor(text)
    while not cursor.is_done:
        start = cursor.at
        kind = next(filter(None, (rule(cursor) for rule in rules)))
        yield Token(kind, text[start : cursor.at])


def hidden(text: str, vendor: str) -> str:
    """Return every literal and comment that a database of this kind might find."""
    return "\n".join(
        token.text
        for rules in RULES[vendor]
        for token in tokens(text, rules)
        if token.kind in {"string", "number", "comment"}
    )
