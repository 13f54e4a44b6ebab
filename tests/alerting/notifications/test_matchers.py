from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from alerting.notifications.matchers import Matcher, Matchers, all_match, shown

LABELS = {"alertname": "high_cpu_usage", "http.route": "/deals/[0-9]+/", "team": "a"}


@pytest.mark.parametrize(
    ("name", "operator", "value", "matches"),
    [
        ("alertname", "=", "high_cpu_usage", True),
        ("alertname", "=", "high_*", False),
        ("alertname", "!=", "other", True),
        ("alertname", "~", "high_*", True),
        ("alertname", "~", "high_cpu_usag?", True),
        ("alertname", "~", "HIGH_*", False),
        ("alertname", "!~", "low_*", True),
        ("alertname", "!~", "high_*", False),
        ("http.route", "~", "/deals/[0-9]+/", True),
        ("http.route", "~", "*]+/", True),
        ("missing", "=", "", True),
        ("missing", "!=", "x", True),
        ("missing", "~", "*", True),
    ],
)
def test_a_matcher_looks_at_one_label(
    name: str, operator: str, value: str, matches: bool
) -> None:
    matcher = Matcher.model_validate(
        {"name": name, "operator": operator, "value": value}
    )

    assert matcher.matches(LABELS) is matches


@given(st.text(max_size=50), st.text(max_size=50))
def test_a_pattern_without_wildcards_is_its_own_text(value: str, other: str) -> None:
    text = value.replace("*", "").replace("?", "")
    matcher = Matcher(name="a", operator="~", value=text)

    assert matcher.matches({"a": text})
    assert matcher.matches({"a": other}) is (other == text)


def test_all_of_them_must_match() -> None:
    both = (Matcher(name="team", value="a"), Matcher(name="alertname", value="other"))

    assert all_match(both[:1], LABELS)
    assert not all_match(both, LABELS)
    assert shown(both) == 'team="a", alertname="other"'


def test_pairs_are_written_as_an_object() -> None:
    adapter: TypeAdapter[tuple[Matcher, ...]] = TypeAdapter(Matchers)

    assert adapter.validate_python({"team": "a"}) == (Matcher(name="team", value="a"),)
    for wrong in ({}, [], {"1": "x"}, [{"name": "a", "value": "b", "operator": "=~"}]):
        with pytest.raises(ValidationError):
            adapter.validate_python(wrong)
