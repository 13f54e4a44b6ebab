r"""The lexical rules of each database that Django knows, and of those it does not.

They differ: `'C:\'` is a whole string for PostgreSQL and half of one for MySQL, and
whoever guesses wrong exposes the next literal. For a vendor we do not know, whatever two
databases would read differently hides the rest of the statement.

Sources are the scanners and manuals of the databases, with their default settings: MySQL
without ANSI_QUOTES and NO_BACKSLASH_ESCAPES, PostgreSQL with standard_conforming_strings.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Final

from prs_otel.instrumentation.sql_lexer import (
    NAME_PART,
    NAME_START,
    REST,
    STRING,
    Grammar,
    Lexer,
    enclosed,
    word,
)

_NESTING: Final = 8  # of comments; deeper ones hide the rest of the statement
_COMMENT: Final = r"/\*(?>(?:[^*\0]++|\*(?!/))*)(?:\*/|(?=\0))"
# Clients do not agree whether a lone "\r" ends a line.
_LINE_COMMENTS: Final = (r"--[^\r\n\0]*+(?=\r?\n|\0)", f"--{REST}")


def lexer(vendor: str) -> Lexer:
    """Return the lexer for a vendor as Django names it, the strictest if unknown."""
    return _compiled(_GRAMMARS.get(vendor, _unknown))


@cache
def _compiled(grammar: Callable[[], Grammar]) -> Lexer:
    # Compiling takes milliseconds, and a process talks to one or two kinds of database.
    return Lexer(grammar())


def _postgresql() -> Grammar:
    blank = r"(?>(?:[ \t\f\v]++|--[^\n\r\0]*+)*)"
    # A string goes on after a newline, and so does the meaning of its backslashes.
    continued = rf"'{blank}[\n\r](?>(?:{blank}[\n\r])*){blank}'"
    escaped = rf"[eE]'(?>(?:[^'\\\0]++|\\[^\0]?+|''|{continued})*)(?:'|(?=\0))"
    tag = rf"\$(?P<tag>(?:{NAME_START}{NAME_PART}*+)?+)\$"
    dollar = enclosed(tag, r"\$(?P=tag)\$")
    return Grammar(
        strings=(STRING, escaped, f"[bBxXnN]{STRING}", f"[uU]&{STRING}", dollar),
        comments=(r"--[^\n\r\0]*+", *_nested_comment()),
        prefix=r"(?:[eEbBxXnN]|[uU]&)'",
    )


def _sqlite() -> Grammar:
    # SQLite takes "x" for a string where it finds no such name: so only what looks like
    # a name, or stands where no value can, is kept.
    quoted = r'"[^"\0]*+"(?!")'
    others = (r"`[^`\0]*+`", r"\[[^\]\0]*+\]")
    letters = r"(?![xX]')[^\W\d][\w$]*+(?![^\0-\x7f])"
    names = (
        r'"[^\W\d][\w$]*+"(?!")',
        rf"{quoted}(?=\.(?:{'|'.join((quoted, *others, letters))}))",
        rf"[fFjJiI](?<![\w$].)(?i:(?<=F)ROM|(?<=J)OIN|(?<=I)NTO)\s++{quoted}",
        r"[dD](?<![\w$].)(?i:ISTINCT\s++FROM)\b",
        *others,
    )
    # Tcl's variables, which SQLite reads from everyone: $name::name(anything)
    name = rf"(?:{NAME_PART}|\$)(?>(?:{NAME_PART}|\$|::)*)(?:\([^ \t-\r)\0]*+\)?+)?+"
    return Grammar(
        strings=(STRING, f"[xX]{STRING}", STRING.replace("'", '"')),
        comments=(r"--[^\n\0]*+", _COMMENT),
        names=names,
        members=(quoted, *others),
        prefix=r"[xX]'",
        special="`[@#",
        stray="@#",
        parameters=(rf"[$@#:](?>(?:::)*)(?:{name})?+",),
        numbered="?",
        colons=(),
        misquoted=_quoted_values(),
    )


def _mysql() -> Grammar:
    string = r"'(?>(?:[^'\\\0]++|\\[^\0]?+|'')*)(?:'|(?=\0))"
    # The server runs what these comments say: a quote in there may hide their end.
    executed = r"/\*(?:M?!|\+)"
    quoteless = r"""[^'"`*/#\0-]*+\*/"""
    return Grammar(
        # Two minuses are no comment here, but would be taken for one in the result.
        strings=(string, string.replace("'", '"'), f"[bBxXnN]{string}", "-(?=-)"),
        comments=(
            r"--(?=[\0- \x7f])[^\n\0]*+",
            r"\#[^\n\0]*+",
            f"(?!{executed}){_COMMENT}",
            executed + quoteless,
            rf"/\*{REST}",
        ),
        names=(r"`[^`\0]*+`", "-(?!-)"),
        members=(r"`[^`\0]*+`",),
        prefix=r"[bBxXnN]'",
        special="`-",
        comment_marks=("--", "/*", "#"),
    )


def _oracle() -> Grammar:
    pairs = {r"\[": r"\]'", r"\{": r"\}'", r"\(": r"\)'", "<": ">'"}
    bodies = [enclosed(opening, closing) for opening, closing in pairs.items()]
    bodies.append(enclosed(r"(?P<mark>[^\s\[{(<\0])", r"(?P=mark)'"))
    return Grammar(
        strings=(
            STRING,
            f"[nN]{STRING}",
            f"(?:[qQ]|[nN][qQ])'(?:{'|'.join(bodies)}|{REST})",
        ),
        comments=(*_LINE_COMMENTS, _COMMENT),
        prefix=r"(?:[nN]|[nN]?[qQ])'",
        signs="$#",
        numbered="?$:",
        colons=("::", f":(?!{NAME_PART})"),
    )


def _microsoft() -> Grammar:
    return Grammar(
        # "x" is a name only with QUOTED_IDENTIFIER.
        strings=(STRING, f"[nN]{STRING}", STRING.replace("'", '"')),
        comments=(*_LINE_COMMENTS, *_nested_comment()),
        names=(r"\[[^\]\0]*+(?>(?:\]\][^\]\0]*+)*)\]",),
        prefix=r"[nN]'",
        signs="$#@",
        special="[",
    )


def _unknown() -> Grammar:
    prefix = r"(?:[eEbBxXnN]|[uU]&|[nN]?[qQ])'"
    empty, full = r"''(?!')", r"'(?!')[^'\\\0]*+(?>(?:''[^'\\\0]*+)*)'"
    single = f"(?:{empty}|{full})"
    line = r"--(?=[ \t\r\n\0])[^\r\n\0]*+(?=\r?\n|\0)"
    # Brackets enclose a name here, an array or a comment there.
    harmless = r"""[^\[\]{}'"`$#/\0-]*+"""
    # What is in parentheses behind a variable belongs to its name in SQLite.
    behind = r"""\((?=[^ \t-\r)('"`\[/$#\0-]*+[('"`\[/$#-])"""
    variable = rf"[:@$](?>(?:{NAME_PART}++|\$|::){{1,12}})(?:{behind}|\$|::)"
    return Grammar(
        strings=(
            *(mark.replace("'", quote) for quote in "'\"" for mark in (empty, full)),
            f"[eEbBxXnN]{single}",
            f"[uU]&{single}",
            rf"[eEbBxXnNuUqQ](?<=(?={prefix}).){REST}",
            rf"\{{{REST}",
            rf"\$(?:{NAME_START}{NAME_PART}*+)?+\${REST}",
        ),
        comments=(
            line,
            r"/\*(?!M?!|\+)(?>(?:[^*/\0]++|\*(?!/)|/(?!\*))*)\*/",
            rf"(?:--|/\*|\#){REST}",
        ),
        names=(
            r"`[^\W\d]\w*+`",
            rf"\[(?={harmless}\])",
            rf"\{{(?={harmless}\}})",
            f"@(?<!(?={variable}).)",
        ),
        prefix=prefix,
        special="`[{@",
        stray="@:",
        parameters=(f"(?:{variable}|:{prefix}){REST}", f":{word(prefix, '$')}"),
        numbered="?$:",
        colons=(f"::(?<!(?=:?{variable})..)", rf":(?!{NAME_PART}|[:$])"),
        comment_marks=("--", "/*", "#"),
    )


def _nested_comment() -> tuple[str, str]:
    nested = r"(?!)"
    for _ in range(_NESTING):
        nested = rf"/\*(?>(?:[^*/\0]++|\*(?!/)|/(?!\*)|{nested})*)\*/"
    return nested, rf"/\*{REST}"


def _quoted_values() -> str:
    operators = ("LIKE", "GLOB", "MATCH", "REGEXP", "THEN", "ELSE", "BETWEEN")
    before = [r'(?<=[=<>|]")', r'(?<=[=<>|] ")', r'(?<=\?, ")', r'(?<=\?\), \(")']
    before += [rf'(?<=\b(?i:{operator}) ")' for operator in operators]
    openings = ("IN", "IN ", "VALUES", "VALUES ")
    before += [
        rf'(?<=\b(?i:{word})\({blank}")' for word in openings for blank in ("", " ")
    ]
    rest = r'[^"]*+"(?!\.)'
    following = rf'(?:, |\), \()(?:\?|"{rest})'
    # Most quotes are sent away by the first two tests, which cost the least.
    return rf'"(?<![\w.].)(?={rest})(?:{"|".join(before)}){rest}(?>(?:{following})*)'


_GRAMMARS: Final[dict[str, Callable[[], Grammar]]] = {
    "postgresql": _postgresql,
    "sqlite": _sqlite,
    "mysql": _mysql,
    "oracle": _oracle,
    "microsoft": _microsoft,
}
