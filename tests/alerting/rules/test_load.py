from __future__ import annotations

import pytest

from alerting.rules import CodeRule, Rule, RuleError, load_rule


def test_a_dictionary_of_fields_is_a_structured_rule() -> None:
    assert isinstance(load_rule({"name": "r", "metric": "m", "threshold": 1}), Rule)


def test_a_dictionary_with_a_condition_is_a_rule_in_code() -> None:
    assert isinstance(load_rule({"name": "r", "condition": bool}), CodeRule)


def test_a_text_may_stand_for_its_fields() -> None:
    rule = load_rule({"name": "r", "expr": "m > 1 for 1m", "labels": {"team": "x"}})

    assert rule == Rule(
        name="r", metric="m", threshold=1.0, for_=60.0, labels={"team": "x"}
    )


def test_a_rule_stays_what_it_is() -> None:
    rule = Rule(name="r", metric="m", threshold=1.0)

    assert load_rule(rule) is rule


def test_a_wrong_text_is_a_wrong_rule() -> None:
    with pytest.raises(RuleError, match="rule 'r': expr: column 3: expected"):
        load_rule({"name": "r", "expr": "m ? 1"})


def test_anything_else_is_refused() -> None:
    with pytest.raises(RuleError, match="'m > 1' is no rule; write a dictionary"):
        load_rule("m > 1")
