"""Recognise SQL statements that differ in their values only, and hide those values.

Nothing that a literal said leaves this module: not in the text, not in the summary, not
in the fingerprint, which is a hash of the text.
"""

from __future__ import annotations

from functools import lru_cache
from hashlib import blake2b
from typing import Final, NamedTuple

from prs_otel.instrumentation.sql_dialects import lexer
from prs_otel.instrumentation.sql_form import in_one_form, without_lengths
from prs_otel.instrumentation.sql_lexer import END, Lexer
from prs_otel.instrumentation.sql_summary import summarise

INPUT_LIMIT: Final = 16_384  # characters of a statement that are looked at
TEXT_LIMIT: Final = 4_096  # bytes of a sanitised text

# Two caches, because there is room for many short statements and for few long ones:
# together they hold 8 MB at the very most as long as the SQL is ASCII.
SHORT: Final = 2_048  # characters
SHORT_STATEMENTS: Final = 1_024
LONG_STATEMENTS: Final = 64


class Statement(NamedTuple):
    """What a SQL statement is, whatever its values are."""

    text: str  # no literals, no comments, lists of values collapsed
    fingerprint: str  # 16 hexadecimal digits, the same for the same text
    operation: str  # "SELECT"
    collection: str  # the main table, or ""
    summary: str  # "SELECT deals_deal auth_user"
    procedure: str = ""  # the stored procedure that is called, or ""


def fingerprint(sql: str, vendor: str) -> Statement:
    """Return what `sql` is to a database of `vendor`, as Django names it.

    Only the first 16,384 characters count. Linear in their number, and cached.
    """
    if len(sql) <= SHORT:
        return _short(sql, vendor)
    return _long(_shortened(sql), vendor)


def _statement(sql: str, vendor: str) -> Statement:
    text = _bounded(sql, lexer(vendor))
    digest = blake2b(text.encode(), digest_size=8).hexdigest()
    return Statement(text, digest, *summarise(text))


_short = lru_cache(maxsize=SHORT_STATEMENTS)(_statement)
_long = lru_cache(maxsize=LONG_STATEMENTS)(_statement)


def _shortened(sql: str) -> str:
    """Cut between words, so that a list of placeholders ends with a whole one."""
    if len(sql) <= INPUT_LIMIT:
        return sql
    head = sql[:INPUT_LIMIT]
    return head.rpartition(" ")[0] or head


def _bounded(sql: str, rules: Lexer) -> str:
    text = _sanitised(sql.partition(END)[0], rules)
    if len(text) > TEXT_LIMIT or not text.isascii():
        # What cannot be encoded cannot be stored or sent. The cut may split a name or
        # a list: so what is left is put in order once more, which may close a list.
        data = text.encode(errors="replace")[: TEXT_LIMIT - 1]
        text = _sanitised(data.decode(errors="ignore"), rules)
    return in_one_form(text)


def _sanitised(sql: str, rules: Lexer) -> str:
    """Return `sql` without literals, comments, and what whitespace is too much."""
    text = rules.without_literals(rules.without_comments(sql))
    text = " ".join(text.split()).rstrip("; ")
    if rules.misquoted is not None and '"' in text:
        text = rules.misquoted.sub("?", text)
    return without_lengths(text)
