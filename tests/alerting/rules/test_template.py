from __future__ import annotations

import pytest

from alerting.rules.template import Template


def test_values_are_filled_in_with_their_format() -> None:
    template = Template("CPU at {cpu_percent:.1f} %, {count:>4} requests {{now}}")

    assert (
        template.render({"cpu_percent": 93.25, "count": 7})
        == "CPU at 93.2 %,    7 requests {now}"
    )


def test_a_name_without_value_shows_as_such() -> None:
    assert Template("{custom_value:.1f}").render({}) == "{custom_value?}"


def test_a_value_its_format_does_not_suit_is_shown_plainly() -> None:
    assert Template("{a:.1f}").render({"a": "text"}) == "text"
    assert Template("{a:c}").render({"a": 10**30}) == f"{10**30}"


@pytest.mark.parametrize(
    "text",
    [
        "{}",
        "{0}",
        "{a.b}",
        "{a[0]}",
        "{a!r}",
        "{a:{b}}",
        "{a:1000000}",
        "{",
        "x" * 2001,
    ],
)
def test_more_than_names_and_formats_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        Template(text)
