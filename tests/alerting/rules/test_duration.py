from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerting.rules.duration import LONGEST, format_duration, parse_duration


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("20s", 20),
        ("5m", 300),
        ("1h30m", 5400),
        ("7d", 604_800),
        ("2w", 1_209_600),
        ("250ms", 0.25),
        ("1.5h", 5400),
        (15, 15),
        (0, 0),
        (0.5, 0.5),
    ],
)
def test_a_duration_is_a_text_with_units_or_seconds(
    written: object, seconds: float
) -> None:
    assert parse_duration(written) == seconds


@pytest.mark.parametrize(
    "written",
    [
        "",
        "5",
        "m",
        "5 m",
        "-5m",
        "5x",
        "1e3s",
        -1,
        float("nan"),
        float("inf"),
        10**400,
        True,
        None,
        [5],
    ],
)
def test_what_is_no_duration_is_refused_with_an_example(written: object) -> None:
    with pytest.raises(ValueError, match=r'write "20s", "5m"'):
        parse_duration(written)


@pytest.mark.parametrize("written", ["53w", 1e12, LONGEST + 1])
def test_what_ends_beyond_the_calendar_is_refused(written: object) -> None:
    with pytest.raises(ValueError, match="write at most 31536000 seconds"):
        parse_duration(written)
    assert parse_duration(LONGEST) == LONGEST


@pytest.mark.parametrize(
    ("seconds", "written"),
    [
        (0, "0s"),
        (90, "1m30s"),
        (0.25, "250ms"),
        (86_400, "1d"),
        (3_661.5, "1h1m1s500ms"),
    ],
)
def test_a_duration_is_written_with_as_few_units_as_it_takes(
    seconds: float, written: str
) -> None:
    assert format_duration(seconds) == written


@given(st.integers(0, round(LONGEST * 1000)))
def test_what_is_written_reads_back_the_same(milliseconds: int) -> None:
    seconds = milliseconds / 1000

    assert parse_duration(format_duration(seconds)) == pytest.approx(seconds)
