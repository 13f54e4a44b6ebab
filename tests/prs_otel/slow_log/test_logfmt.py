from __future__ import annotations

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prs_otel.slow_log.logfmt import logfmt

PAIR = re.compile(r'(\w+)=("(?:[^"\\]|\\.)*"|[^\s"]*)(?: |$)')
# What a terminal acts upon, and what turns the direction of the text that follows.
HOSTILE = "\x00\x07\x08\x1b\x7f\x85\x9b\u2028\u2029\u202e\u2066\ud800\U000e0041"


def parsed(line: str) -> dict[str, str]:
    """Take a line apart as a log reader does."""
    pairs, end = {}, 0
    while end < len(line):
        pair = PAIR.match(line, end)
        assert pair, line[end:]
        name, value = pair.groups()
        pairs[name] = json.loads(value) if value.startswith('"') else value
        end = pair.end()
    return pairs


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("GET", "GET"),
        ("/deals/<int:pk>/", "/deals/<int:pk>/"),
        ("/Zürich/", "/Zürich/"),
        ("", '""'),
        ("SELECT ?", '"SELECT ?"'),
        ("a=b", '"a=b"'),
        ('say "x"', r'"say \"x\""'),
        ("a\nlevel=ERROR", r'"a\nlevel=ERROR"'),
        ("\x1b[2J", r'"\u001b[2J"'),
        (200, "200"),
        (True, "true"),
        (False, "false"),
        (1.5, "1.5"),
        (2.0, "2"),
        (0.0000125, "0.000013"),
        (0.0, "0"),
    ],
)
def test_a_value_is_written_as_plainly_as_it_can_be(
    value: str | float, written: str
) -> None:
    assert logfmt({"name": value}) == f"name={written}"


@given(
    st.dictionaries(
        st.from_regex(r"[a-z_]{1,8}", fullmatch=True),
        st.text(st.one_of(st.characters(), st.sampled_from(HOSTILE + '\n\r\t"\\= '))),
        min_size=1,
    )
)
def test_any_text_stays_on_one_line_and_can_be_read_back(
    fields: dict[str, str],
) -> None:
    line = logfmt(fields)

    assert line.splitlines() == [line]
    assert line.isprintable()
    assert parsed(line) == fields
