"""Split a statement at its comments and at its literals, by the rules of one database.

Both expressions walk the same tokens from the first character to the last, so that a
quote inside a name or a comment mark inside a string is never taken for what it is not.
The time is linear in the text: every repetition is possessive or atomic, and there is an
alternative for every character, so that no place is looked at from two starts.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

# Ends every text that is split: what is not terminated extends to here, and vanishes.
END: Final = "\0"

REST: Final = r"[^\0]*+"
# Most databases allow in names whatever is beyond ASCII, be it a letter or a blank.
NAME_START: Final = r"[^\0-@\[-^`{-\x7f]"
NAME_PART: Final = r"[^\0-/:-@\[-^`{-\x7f]"
# Repeated groups stand in atomic ones, as `(?:…)*+` is faulty before Python 3.11.5.
STRING: Final = r"'[^'\0]*+(?>(?:''[^'\0]*+)*)(?:'|(?=\0))"
# A placeholder of Python's drivers. What `%s$$` would be, nobody knows.
_FORMAT: Final = rf"%(?:[sbt]|\([\w .-]++\)[sbt])(?:\${REST}|(?!\w))"


@dataclass(frozen=True, slots=True)
class Grammar:
    """What databases differ in, mostly as alternatives of a regular expression.

    Each alternative should start with a character or a class of them: the others are
    then passed over in a few nanoseconds.
    """

    strings: tuple[str, ...]
    comments: tuple[str, ...]
    names: tuple[str, ...] = (r'"[^"\0]*+"',)  # the quoted ones, which are kept
    members: tuple[str, ...] = ()  # quoted names after a dot, if they are others
    prefix: str = ""  # letters and a quote that make one string
    signs: str = "$"  # that may follow the first letter of a name
    special: str = ""  # characters that are more than an operator here
    stray: str = ""  # those of them that mean nothing when alone
    parameters: tuple[str, ...] = ()  # named ones, if they are not just `:name`
    numbered: str = "?$"  # what a numbered parameter starts with
    colons: tuple[str, ...] = ("::", f":(?!{NAME_START})")  # that are operators
    comment_marks: tuple[str, ...] = ("--", "/*")  # without these there is no comment
    misquoted: str = ""  # in the result: quoted like a name where only a value can be


class Lexer:
    """Take the statements of one kind of database apart. Immutable."""

    __slots__ = ("between_comments", "between_literals", "comment_marks", "misquoted")

    def __init__(self, grammar: Grammar) -> None:
        comment, hidden = "|".join(grammar.comments), _hidden(grammar)
        kept = _kept(grammar, _plain(grammar.special + "-/#"))
        operator = f"[{'-/' if '#' in grammar.special else '-/#'}]{_unless(comment)}"
        self.between_comments = re.compile(
            rf"((?>(?:{kept}|{operator}|(?!{comment})(?:{hidden}))*))(?:{comment}|\0)"
        )
        # Where there are no comments, fewer characters have a meaning. The tests in
        # front of the loops pass them by where there is nothing for them.
        plain = _plain(grammar.special)
        self.between_literals = re.compile(
            rf"({plain}*+(?:(?![0-9?'\0]|%s(?!\w)|:[A-Za-z])(?>(?:{_kept(grammar, plain)})*)|))"
            rf"(?:\0|(?>(?:(?!{plain})(?:{hidden}))+))"
        )
        self.comment_marks = grammar.comment_marks
        self.misquoted = re.compile(grammar.misquoted) if grammar.misquoted else None

    def without_comments(self, sql: str) -> str:
        """Return `sql` with a blank for each comment."""
        for mark in self.comment_marks:
            # Looking for a single character first is ten times as fast.
            if mark[0] in sql and mark in sql:
                return " ".join(_pieces(self.between_comments, sql))
        return sql

    def without_literals(self, sql: str) -> str:
        """Return `sql`, which has no comments, with `?` for literals."""
        return "?".join(_pieces(self.between_literals, sql))


def enclosed(opening: str, closing: str) -> str:
    """Match from one mark to the next of the other."""
    return rf"{opening}(?>(?:(?!{closing})[^\0])*)(?:{closing}|(?=\0))"


def word(prefix: str, signs: str) -> str:
    """Match a name without quotes, be there blanks or signs of other scripts in it."""
    return rf"{NAME_START}{_unless(prefix)}(?>(?:{NAME_PART}|[{signs}])*)"


def _pieces(pattern: re.Pattern[str], sql: str) -> list[str]:
    found = pattern.findall(sql + END)
    # A grammar that has to remember an opening mark has a second group for it.
    return found if pattern.groups == 1 else [piece for piece, _ in found]


def _kept(grammar: Grammar, plain: str) -> str:
    # One turn of the loop takes a whole name and the blanks and commas after it.
    members = "|".join(grammar.members or grammar.names)
    rest = rf"(?:(?=\.)(?>(?:\.(?:{members}))*)|){plain}*+"
    # A class of characters comes first, as that is what is tested fastest.
    first = rf"{NAME_START}(?<=\w){_unless(grammar.prefix)}"
    alternatives = (
        *(name + rest for name in grammar.names),
        rf"{first}[\w{grammar.signs}]*+{rest}",
        f"{plain}{plain}*+",
        r"\.(?![0-9])",
        *grammar.colons,
        "%%",
        f"%{_unless(_FORMAT)}",
    )
    return "|".join(alternatives)


def _hidden(grammar: Grammar) -> str:
    # Letters after digits are a suffix or a word; a quote behind may belong to either.
    suffix = rf"{word(grammar.prefix, grammar.signs)}(?:'{REST})?+"
    more = rf"(?={NAME_START})(?>(?:[0-9.]|[eE][+-]?(?=[0-9])|{suffix})*)"
    number = rf"[0-9][0-9.]*+(?:{more}|)"
    alternatives = (
        number,
        r"\?(?![0-9])",
        *_parameters(grammar),
        rf"[{grammar.numbered}]{number}",
        *grammar.strings,
        rf"\.{number}",
        # What follows a blank or sign of another script is part of a name at best.
        rf"{NAME_START}(?<!\w)(?>(?:{NAME_PART}|[{grammar.signs}])*)",
        rf"""['"`\[]{REST}""",  # not terminated
        f"[${grammar.stray}]",
    )
    return "|".join(alternatives)


def _parameters(grammar: Grammar) -> tuple[str, ...]:
    if grammar.parameters:
        return (_FORMAT, *grammar.parameters)
    name = word(grammar.prefix, grammar.signs)
    # `:E'…'` may be a parameter and a string, or an operator and an escape string.
    unclear = (f":{grammar.prefix}{REST}",) if grammar.prefix else ()
    return (_FORMAT, *unclear, f":{name}")


def _unless(pattern: str) -> str:
    """Fail behind a first character with which `pattern` would match."""
    return f"(?<!(?={pattern}).)" if pattern else ""


def _plain(special: str) -> str:
    """Match one of the ASCII characters that never start a token we care about."""
    meaning = set("_'\"$%:.?\0" + special)
    plain = (chr(code) for code in range(128) if not chr(code).isalnum())
    return f"[{re.escape(''.join(char for char in plain if char not in meaning))}]"
