"""What holds for every text: no literal leaves, and nothing but the kind counts.

Two tokenizers written apart from ours say what a literal is: `tests.support.sql_scanner`
for whatever a text may be, `sqlparse` for statements as people write them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlparse import lexer as sqlparse_lexer
from sqlparse import tokens as sqlparse_tokens

from prs_otel.instrumentation.fingerprint import TEXT_LIMIT, Statement, fingerprint
from prs_otel.instrumentation.sql_summary import SUMMARY_LIMIT
from tests.support.sql_scanner import hidden
from tests.support.sql_texts import (
    STRINGS,
    VENDORS,
    filled,
    many_texts,
    planted,
    statements,
    texts,
    values,
)

NAMES: Final = ["it's", "a /* b", "5", "x; y", "naïve é", "a ? b", "q'[", "$$", "a%sb"]
every_vendor = pytest.mark.parametrize("vendor", VENDORS)


def told(statement: Statement) -> str:
    """Return all that a statement says in words."""
    return "\n".join((statement.text, *statement[2:])).lower()


def leaked(pieces: list[Any], vendor: str) -> list[str]:
    """Return the secrets that are told though a database finds them in a literal."""
    text, secrets = planted(pieces)
    said, literal = told(fingerprint(text, vendor)), hidden(text, vendor)
    return [secret for secret in secrets if secret in said and secret in literal]


@every_vendor
@given(pieces=texts)
@settings(max_examples=200, deadline=None)
def test_no_literal_leaves_whatever_the_text(vendor: str, pieces: list[Any]) -> None:
    assert leaked(pieces, vendor) == []


@every_vendor
@given(seed=st.integers(0, 2**64))
@settings(max_examples=100, deadline=None)
def test_no_literal_leaves_any_of_many_texts(vendor: str, seed: int) -> None:
    found = {
        planted(pieces)[0]: leaked(pieces, vendor) for pieces in many_texts(seed, 50)
    }

    assert {text: secrets for text, secrets in found.items() if secrets} == {}


@every_vendor
@given(pieces=texts)
@settings(max_examples=200, deadline=None)
def test_a_text_has_its_own_fingerprint(vendor: str, pieces: list[Any]) -> None:
    statement = fingerprint(planted(pieces)[0], vendor)

    assert fingerprint(statement.text, vendor) == statement


@every_vendor
@given(pieces=texts, times=st.integers(1, 2_000))
@settings(max_examples=50, deadline=None)
def test_what_is_told_is_bounded(vendor: str, pieces: list[Any], times: int) -> None:
    statement = fingerprint(planted(pieces)[0] * times, vendor)

    assert len(statement.text.encode()) <= TEXT_LIMIT
    assert len(statement.summary) <= SUMMARY_LIMIT
    assert re.fullmatch("[0-9a-f]{16}", statement.fingerprint)
    assert fingerprint(statement.text, vendor) == statement


@every_vendor
@given(data=st.data(), statement=statements)
@settings(max_examples=100, deadline=None)
def test_values_lengths_blanks_and_comments_make_no_difference(
    vendor: str, data: st.DataObject, statement: str
) -> None:
    sql = data.draw(filled(statement, vendor))

    found = fingerprint(sql, vendor)

    assert found.text == statement
    assert found == fingerprint(statement, vendor)


@every_vendor
@given(data=st.data(), statement=statements)
@settings(max_examples=100, deadline=None)
def test_sqlparse_finds_no_literal_in_what_is_left(
    vendor: str, data: st.DataObject, statement: str
) -> None:
    sql = data.draw(filled(statement, vendor))

    assert list(literal_tokens(fingerprint(sql, vendor).text)) == []


@every_vendor
@given(data=st.data(), statement=statements)
@settings(max_examples=100, deadline=None)
def test_no_literal_that_sqlparse_finds_is_left(
    vendor: str, data: st.DataObject, statement: str
) -> None:
    # sqlparse knows one kind of string for all databases: this is what it is sure of.
    plain = st.integers(10**6, 10**9).flatmap(
        lambda number: st.sampled_from([f"'x{number}''y{number}'", str(number)])
    )
    sql = re.sub(r"\?", lambda _: data.draw(plain), statement)

    found, said = list(literal_tokens(sql)), told(fingerprint(sql, vendor))

    assert len(found) == statement.count("?")
    assert [
        token for token in found if token.strip("'").partition("'")[0] in said
    ] == []


@pytest.mark.parametrize(
    ("vendor", "quotes"),
    [("postgresql", '""'), ("mysql", "``"), ("oracle", '""'), ("microsoft", "[]")],
)
@given(name=st.sampled_from(NAMES), value=values)
@settings(max_examples=50, deadline=None)
def test_a_quoted_name_is_no_literal_and_hides_none(
    vendor: str, quotes: str, name: str, value: str
) -> None:
    quoted = f"{quotes[0]}{name}{quotes[1]}"
    literal = STRINGS[vendor][0](value)

    sql = f"SELECT {quoted}.{quoted}, {literal}, {quoted} FROM {quoted} WHERE a = {literal}"

    assert fingerprint(sql, vendor).text == (
        f"SELECT {quoted}.{quoted}, ?, {quoted} FROM {quoted} WHERE a = ?"
    )


def literal_tokens(sql: str) -> Iterator[str]:
    """Return what sqlparse takes for a literal; a name in quotes is none to it."""
    for kind, text in sqlparse_lexer.tokenize(sql):  # type: ignore[no-untyped-call]
        if (
            kind in sqlparse_tokens.Literal
            and kind not in sqlparse_tokens.String.Symbol
        ):
            yield text
