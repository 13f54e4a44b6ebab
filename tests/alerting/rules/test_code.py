from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from alerting.rules import CodeRule, RuleError, Severity

ORIGINAL: dict[str, Any] = {
    "name": "custom_metric_alert",
    "condition": lambda metrics: metrics.get("custom_value", 0) > 100,
    "severity": "warning",
    "message_template": "Custom metric exceeded threshold: {custom_value}",
    "cooldown_minutes": 10,
}


def test_the_original_dictionary_is_a_rule() -> None:
    rule = CodeRule.load(ORIGINAL)

    assert (rule.name, rule.severity, rule.cooldown) == (
        "custom_metric_alert",
        Severity.WARNING,
        600,
    )
    assert rule.message is not None
    assert rule.message.render({"custom_value": 101}) == (
        "Custom metric exceeded threshold: 101"
    )
    assert rule.holds({"custom_value": 101})
    assert not rule.holds({})


def test_name_and_condition_are_enough() -> None:
    rule = CodeRule.load({"name": "a", "condition": bool})

    assert (rule.message, rule.cooldown, rule.for_) == (None, None, 0)
    assert rule.rungs[0].is_breached(1.0)
    assert not rule.rungs[0].is_breached(0.0)


def test_the_fields_of_structured_rules_that_make_sense_are_taken() -> None:
    rule = CodeRule.load(
        {
            **ORIGINAL,
            "for": "1m",
            "keep_firing_for": 30,
            "labels": {"team": "x"},
            "annotations": {"summary": "y"},
        }
    )

    assert (rule.for_, rule.keep_firing_for) == (60, 30)
    assert (rule.labels, rule.annotations) == ({"team": "x"}, {"summary": "y"})


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"name": 5}, "name cannot be 5"),
        ({"name": "a\nb"}, "name cannot be"),
        ({"name": "x" * 101}, "up to 100 characters"),
        ({"condition": "lambda m: True"}, "condition cannot be 'lambda m: True'"),
        ({"severity": "urgent"}, "severity cannot be 'urgent'"),
        ({"message_template": 5}, "message_template cannot be 5"),
        ({"message_template": "{a.b}"}, "is no plain name"),
        ({"cooldown_minutes": "10m"}, "write a number of minutes"),
        ({"cooldown_minutes": -1}, "cooldown_minutes cannot be -1"),
        ({"labels": "team"}, "labels cannot be 'team'"),
        ({"cooldown": 5}, "cooldown is no field"),
    ],
)
def test_a_mistake_is_named(fields: dict[str, object], expected: str) -> None:
    with pytest.raises(RuleError) as caught:
        CodeRule.load({**ORIGINAL, **fields})

    assert expected in str(caught.value)


def test_what_is_missing_is_named() -> None:
    with pytest.raises(RuleError, match="name is missing; condition is missing"):
        CodeRule.load({})


@pytest.mark.parametrize("answer", [True, 1, 0.5])
def test_a_truthy_number_is_a_yes(answer: object) -> None:
    assert answering(answer).holds({})


@pytest.mark.parametrize("answer", [None, "yes", [], float("nan"), object()])
def test_nonsense_is_no_answer(answer: object) -> None:
    with pytest.raises(TypeError, match="must answer True or False"):
        answering(answer).holds({})


def answering(answer: object) -> CodeRule:
    def condition(metrics: Mapping[str, float]) -> object:
        return answer

    return CodeRule("r", condition)
