"""The work is linear in the text: shown by what is done, not by how long it takes."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings

from prs_otel.instrumentation import sql_form, sql_summary
from prs_otel.instrumentation.sql_dialects import lexer
from prs_otel.instrumentation.sql_lexer import END
from tests.support.sql_texts import VENDORS, planted, texts

every_vendor = pytest.mark.parametrize("vendor", VENDORS)


@every_vendor
@given(pieces=texts)
@settings(max_examples=200, deadline=None)
def test_a_lexer_takes_each_character_once(vendor: str, pieces: list[Any]) -> None:
    text = planted(pieces)[0]
    rules = lexer(vendor)

    for pattern in (rules.between_comments, rules.between_literals):
        if pattern is rules.between_literals:
            text = rules.without_comments(text)
        steps = [found.span() for found in pattern.finditer(text + END)]
        # Each step starts where the last one ended: no place is looked for, or passed
        # over, or tried again from the next.
        assert [start for start, _ in steps] == [0, *(end for _, end in steps[:-1])]
        assert steps[-1][1] == len(text + END)
        assert len(steps) <= len(text + END)


@every_vendor
def test_no_repetition_of_a_lexer_can_be_taken_back(vendor: str) -> None:
    rules = lexer(vendor)

    for pattern in (rules.between_comments, rules.between_literals):
        assert list(loose_repetitions(pattern.pattern)) == []


@pytest.mark.parametrize(
    ("module", "name"),
    [
        (sql_form, "_ROWS"),
        (sql_form, "_ARRAY"),
        (sql_form, "_ALIKE"),
        (sql_form, "_SAVEPOINT"),
        (sql_form, "_PASSWORD"),
        (sql_summary, "_COMMON_TABLE"),
        (lexer("sqlite"), "misquoted"),
    ],
)
def test_no_repetition_of_what_reads_a_text_can_be_taken_back(
    module: object, name: str
) -> None:
    pattern: re.Pattern[str] = getattr(module, name)

    assert list(loose_repetitions(pattern.pattern, pattern.flags)) == []


def loose_repetitions(pattern: str, flags: int = 0) -> Iterator[str]:
    """Return each unbounded repetition that is neither possessive nor in an atomic group.

    Only those can make an expression try the same characters in many ways.
    """
    parser: Any = importlib.import_module("re._parser")

    def walk(node: Any, *, is_atomic: bool) -> Iterator[str]:
        if isinstance(node, parser.SubPattern | list | tuple):
            if len(node) == 2 and str(node[0]) == "ATOMIC_GROUP":
                is_atomic = True
            is_repeat = len(node) == 2 and str(node[0]) in {"MAX_REPEAT", "MIN_REPEAT"}
            if is_repeat and not is_atomic and node[1][1] is parser.MAXREPEAT:
                yield repr(node)
            for child in node:
                yield from walk(child, is_atomic=is_atomic)

    return walk(parser.parse(pattern, flags & re.IGNORECASE), is_atomic=False)
