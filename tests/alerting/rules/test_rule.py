from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from alerting.rules import Aggregation, Rule, RuleError, Severity
from alerting.rules.rule import NoData

MINIMAL: dict[str, Any] = {"name": "r", "metric": "m", "threshold": 1}


def rule(**fields: object) -> Rule:
    return Rule.load({**MINIMAL, **fields})


def problems(**fields: object) -> str:
    with pytest.raises(RuleError) as caught:
        rule(**fields)
    return "\n".join(caught.value.problems)


def test_the_rule_of_the_documentation_is_read() -> None:
    loaded = Rule.load(
        {
            "name": "deals_errors",
            "metric": "http.server.request.error_rate",
            "where": {"http.route": "/deals/"},
            "window": "5m",
            "operator": ">",
            "threshold": {"critical": 0.2},
            "min_count": 5,
            "for": "1m",
        }
    )

    assert loaded.where == {"http.route": "/deals/"}
    assert (loaded.window, loaded.for_, loaded.min_count) == (300, 60, 5)
    assert [(rung.severity, rung.threshold) for rung in loaded.rungs] == [
        (Severity.CRITICAL, 0.2)
    ]


def test_a_number_is_the_threshold_of_the_rules_severity() -> None:
    [rung] = rule(threshold=3, severity="critical").rungs

    assert (rung.severity, rung.threshold) == (Severity.CRITICAL, 3.0)


def test_a_ladder_is_ordered_from_mild_to_bad() -> None:
    loaded = rule(threshold={"critical": 0.9, "info": 0.1, "warning": 0.8})

    assert [rung.severity for rung in loaded.rungs] == ["info", "warning", "critical"]


@pytest.mark.parametrize(
    ("metric", "aggregation"),
    [
        ("http.server.request.error_rate", Aggregation.RATIO),
        ("system.cpu.utilization", Aggregation.AVG),
    ],
)
def test_the_usual_aggregation_follows_from_the_metric(
    metric: str, aggregation: Aggregation
) -> None:
    assert rule(metric=metric).aggregation is aggregation


@pytest.mark.parametrize(
    ("fields", "quantile", "word"),
    [
        ({"aggregation": "p95"}, 0.95, "p95"),
        ({"aggregation": "p99.9"}, 0.999, "p99.9"),
        ({"aggregation": "quantile", "quantile": 0.5}, 0.5, "p50"),
        ({"quantile": 0.9}, 0.9, "p90"),
    ],
)
def test_a_quantile_has_a_short_form(
    fields: dict[str, object], quantile: float, word: str
) -> None:
    loaded = rule(**fields)

    assert loaded.aggregation is Aggregation.QUANTILE
    assert (loaded.quantile, loaded.aggregator) == (quantile, word)


def test_other_aggregations_go_by_their_own_name() -> None:
    assert rule(aggregation="max").aggregator == "max"


def test_what_is_absent_needs_no_threshold() -> None:
    loaded = Rule.load({"name": "r", "metric": "m", "aggregation": "absent"})

    assert loaded.rungs[0].is_breached(1.0)
    assert not loaded.rungs[0].is_breached(0.0)


def test_no_data_is_a_word_or_a_word_with_a_duration() -> None:
    assert rule(no_data="fire").no_data == NoData(policy="fire")
    assert rule(no_data={"policy": "ok", "for": "10m"}).no_data == NoData(
        policy="ok", for_=600.0
    )


def test_recovery_undoes_the_mildest_severity() -> None:
    loaded = rule(threshold={"warning": 0.8, "critical": 0.9}, recovery=0.7)

    assert [rung.recovery for rung in loaded.rungs] == [0.7, 0.9]


def test_recovery_may_be_a_ladder_itself() -> None:
    loaded = rule(
        threshold={"warning": 0.8, "critical": 0.9},
        recovery={"warning": 0.7, "critical": 0.85},
    )

    assert [rung.recovery for rung in loaded.rungs] == [0.7, 0.85]


def test_a_falling_value_can_be_the_bad_one() -> None:
    loaded = rule(operator="<", threshold={"warning": 10, "critical": 5}, recovery=12)

    assert loaded.rungs[0].is_breached(9)
    assert not loaded.rungs[0].is_recovered(11)
    assert loaded.rungs[0].is_recovered(12)


@pytest.mark.parametrize(
    ("sign", "inside", "beyond"),
    [(">", 1, 2), (">=", 0, 1), ("<", 1, 0), ("<=", 2, 1), ("==", 2, 1), ("!=", 1, 2)],
)
def test_every_operator_compares(sign: str, inside: float, beyond: float) -> None:
    [rung] = rule(operator=sign).rungs

    assert rung.is_breached(beyond)
    assert not rung.is_breached(inside)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"name": "x\nBcc: y"}, "name cannot be 'x\\nBcc: y'"),
        ({"name": None}, "write a name of up to 100 characters"),
        ({"metric": "a b"}, "metric cannot be 'a b'"),
        ({"aggregation": "p101"}, 'write one of "avg", "max"'),
        ({"aggregation": "px"}, "aggregation cannot be 'px'"),
        ({"aggregation": "p9x"}, "aggregation cannot be 'p9x'"),
        ({"quantile": 2}, "write a number between 0 and 1"),
        ({"aggregation": "quantile"}, "belong together"),
        (
            {"where": {"http.route": 1}},
            'write labels, such as {"http.route": "/deals/"}',
        ),
        ({"where": {"a b": "c"}}, "where cannot be"),
        ({"by": "http.route"}, 'write a list of label names, such as ["http.route"]'),
        ({"window": 0}, "window cannot be 0"),
        ({"window": "2000w"}, "at most 31536000 seconds"),
        ({"operator": "=>"}, "operator cannot be '=>'"),
        ({"threshold": True}, "threshold cannot be True (it is no number)"),
        ({"threshold": "0.1"}, "threshold cannot be '0.1' (it is no number)"),
        ({"threshold": float("nan")}, "it is not finite"),
        ({"threshold": {"bad": 1}}, "'bad' is not a valid Severity"),
        ({"threshold": 10**400}, "it is not finite"),
        ({"recovery": {"warning": 10**400}}, "it is not finite"),
        ({"quantile": 10**400}, "it is not finite"),
        ({"quantile": 1e-12}, "write a number between 0 and 1"),
        ({"aggregation": "p99.9999999999"}, "write a number between 0 and 1"),
        ({"for": 10**400}, "for cannot be 1000"),
        ({"threshold": {}}, "a ladder needs a step"),
        ({"threshold": {}, "recovery": 1}, "a ladder needs a step"),
        ({"recovery": {}}, "recovery needs a step"),
        ({"threshold": {"warning": 2, "critical": 1}}, "critical (1) is not beyond"),
        ({"threshold": {"warning": 1, "critical": 1}}, "critical (1) is not beyond"),
        ({"recovery": 2}, "recovery 2 is beyond the threshold 1"),
        ({"recovery": {"critical": 0.5}}, "recovery names critical"),
        (
            {
                "threshold": {"warning": 2, "critical": 3},
                "recovery": {"warning": 1, "critical": 0},
            },
            "critical would recover at 0, after warning at 1",
        ),
        ({"operator": "==", "recovery": 1}, "a ladder or recovery needs > or <"),
        ({"min_count": -1}, "min_count cannot be -1"),
        ({"min_count": 10**18}, "min_count cannot be 1000000000000000000"),
        ({"min_count": True}, "write a whole number"),
        ({"for": "soon"}, "for cannot be 'soon'"),
        ({"no_data": "panic"}, "no_data cannot be 'panic'"),
        ({"no_data": {"policy": "fire", "while": 1}}, "no_data cannot be 1"),
        ({"severity": "urgent"}, "severity cannot be 'urgent'"),
        ({"runbook_url": "javascript:alert(1)"}, "write a link"),
        ({"labels": {"a": "b"}, "by": ["a"]}, "labels and by both set a"),
        ({"aggregation": "absent", "by": ["a"]}, "remove by"),
        ({"wndow": "5m"}, "'wndow' is no field of a rule; write 'window'"),
        ({"zzz": 1}, "choose from name, metric"),
    ],
)
def test_a_mistake_is_named_with_its_field_value_and_remedy(
    fields: dict[str, object], expected: str
) -> None:
    assert expected in problems(**fields)


def test_a_missing_threshold_is_asked_for() -> None:
    with pytest.raises(
        RuleError, match=r"rule 'r': threshold is missing; write a number"
    ):
        Rule.load({"name": "r", "metric": "m"})


def test_a_missing_metric_is_asked_for() -> None:
    with pytest.raises(RuleError, match="metric is missing; write a metric"):
        Rule.load({"name": "r", "threshold": 1})


def test_every_mistake_is_told_at_once() -> None:
    assert len(problems(window="x", operator="?", nonsense=1).splitlines()) == 3


def test_a_field_with_several_mistakes_is_told_once() -> None:
    assert len(problems(where={"a": 1, "b": 2}).splitlines()) == 1


def test_a_rule_without_a_name_says_so() -> None:
    with pytest.raises(RuleError, match="a rule without a name"):
        Rule.load({"metric": "m", "threshold": 1})


def test_a_rule_cannot_be_changed() -> None:
    with pytest.raises(ValidationError):
        rule().window = 1.0  # type: ignore[misc]


def test_a_rule_can_be_written_in_python() -> None:
    written = Rule(name="r", metric="m", threshold=1.0, for_=60.0)

    assert written == rule(**{"for": "1m"})


def test_only_dictionaries_and_rules_become_rules() -> None:
    with pytest.raises(ValidationError):
        Rule.model_validate(5)


def test_a_rule_survives_being_written_as_json() -> None:
    loaded = rule(threshold={"warning": 1, "critical": 2}, no_data="fire", by=["a"])

    assert Rule.load(loaded.model_dump(mode="json")) == loaded
