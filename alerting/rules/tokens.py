"""Read a rule's text word by word, knowing the column of each."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Final

from alerting.rules.duration import parse_duration

__all__ = ["Cursor", "TextError"]

TEXT_LIMIT: Final = 4096
# One pass, no backtracking: the cost is linear in the length of the text.
TOKEN: Final = re.compile(
    r"""\s*(?:(?P<string>"(?:[^"\\]|\\.)*")"""
    r"""|(?P<sign>>=|<=|==|!=|[><={}()\[\],])"""
    r"""|(?P<word>[^\s"<>={}()\[\],!]+))"""
)
NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_.]*")
END: Final = "the end"


class TextError(ValueError):
    """A text that is no rule; `column` counts from 1."""

    def __init__(self, column: int, message: str) -> None:
        self.column = column
        super().__init__(f"column {column}: {message}")


@dataclass(frozen=True, slots=True)
class Token:
    """A word, sign or quoted string and where it begins."""

    text: str
    column: int


class Cursor:
    """What is still to be read of a text."""

    def __init__(self, text: str) -> None:
        if len(text) > TEXT_LIMIT:
            raise TextError(TEXT_LIMIT + 1, f"a rule has up to {TEXT_LIMIT} characters")
        self._tokens = list(_tokens(text))
        self._at = 0

    @property
    def is_done(self) -> bool:
        """Tell whether everything has been read."""
        return self._next.text == ""

    @property
    def _next(self) -> Token:
        return self._tokens[self._at]

    def take(self, text: str) -> bool:
        """Step over `text` if it comes next, and tell whether it did."""
        found = self._next.text == text
        self._at += found
        return found

    def expect(self, text: str) -> None:
        """Step over `text`, which must come next."""
        if not self.take(text):
            raise self._unexpected(text)

    def maybe(self, words: tuple[str, ...]) -> str | None:
        """Return the next word if it is one of `words`."""
        word = self._next.text
        return word if word in words and self.take(word) else None

    def word(self, words: tuple[str, ...]) -> str:
        """Return the next word, which must be one of `words`."""
        word = self.maybe(words)
        if word is None:
            raise self._unexpected(f"one of {', '.join(words)}" if words else END)
        return word

    def name(self, what: str, *, known: Collection[str] = ()) -> str:
        """Return the name of a metric, label or aggregation that is not `known` yet."""
        if self._next.text in known:
            raise self._unexpected(f"{what} that was not named before")
        return self._take(what, NAME.fullmatch(self._next.text) is not None)

    def string(self) -> str:
        """Return the content of a quoted string."""
        try:
            value = json.loads(self._next.text, strict=False)
        except ValueError:
            value = None
        if not isinstance(value, str):
            raise self._unexpected('a text in double quotes, such as "/deals/"')
        self._at += 1
        return value

    def number(self) -> float:
        """Return a finite number."""
        try:
            value = float(self._next.text)
        except ValueError:
            value = math.nan
        self._take("a number", math.isfinite(value))
        return value

    def count(self) -> int:
        """Return a whole number."""
        text = self._next.text
        is_count = text.isascii() and text.isdecimal() and len(text) < 19
        return int(self._take("a whole number", is_count))

    def duration(self) -> float:
        """Return a duration in seconds."""
        seconds = self.maybe_duration()
        if seconds is None:
            raise self._unexpected('a duration such as "30s" or "5m"')
        return seconds

    def maybe_duration(self) -> float | None:
        """Return a duration in seconds if one comes next."""
        try:
            seconds = parse_duration(self._next.text)
        except ValueError:
            return None
        self._at += 1
        return seconds

    def _take(self, what: str, is_right: bool) -> str:
        if not is_right:
            raise self._unexpected(what)
        self._at += 1
        return self._tokens[self._at - 1].text

    def _unexpected(self, wanted: str) -> TextError:
        found = repr(self._next.text) if self._next.text else END
        return TextError(self._next.column, f"expected {wanted}, found {found}")


def _tokens(text: str) -> Iterator[Token]:
    at, end = 0, len(text.rstrip())
    while at < end:
        found = TOKEN.match(text, at, end)
        if found is None:
            at += len(text[at:]) - len(text[at:].lstrip())
            raise TextError(at + 1, f"cannot read {text[at]!r}")
        kind = found.lastgroup or ""
        yield Token(found[kind], found.start(kind) + 1)
        at = found.end()
    yield Token("", end + 1)
