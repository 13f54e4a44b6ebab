from __future__ import annotations

import pytest

from prs_otel.management import units


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (None, "-"),
        (0.0, "0 µs"),
        (0.00034, "340 µs"),
        (0.0123, "12.3 ms"),
        (1.234, "1.23 s"),
        (150.0, "2.5 min"),
    ],
)
def test_a_duration_is_shown_in_the_unit_that_suits_it(
    seconds: float | None, expected: str
) -> None:
    assert units.duration(seconds) == expected


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(-3.0, "0 s"), (4.2, "4 s"), (90.0, "1.5 min"), (10_800.0, "3.0 h")],
)
def test_an_age_is_shown_in_its_largest_unit(seconds: float, expected: str) -> None:
    assert units.age(seconds) == expected


def test_an_age_of_days_is_shown_in_days() -> None:
    assert units.age(3 * 86_400) == "3.0 d"


@pytest.mark.parametrize(
    ("ratio", "expected"), [(None, "-"), (0.0, "0.0 %"), (0.153, "15.3 %")]
)
def test_a_ratio_is_shown_as_a_percentage(ratio: float | None, expected: str) -> None:
    assert units.percent(ratio) == expected


@pytest.mark.parametrize(
    ("number", "expected"), [(None, "-"), (7, "7"), (1_234_567, "1,234,567")]
)
def test_a_count_has_its_thousands_apart(number: int | None, expected: str) -> None:
    assert units.count(number) == expected


@pytest.mark.parametrize(
    ("size_bytes", "expected"),
    [
        (None, "-"),
        (12, "12 B"),
        (2_500, "2.5 kB"),
        (128_000_000, "128.0 MB"),
        (3_200_000_000, "3.2 GB"),
    ],
)
def test_a_size_is_shown_in_the_largest_fitting_unit(
    size_bytes: float | None, expected: str
) -> None:
    assert units.size(size_bytes) == expected
