from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from alerting.promrules import (
    ExportedRule,
    Fidelity,
    inhibit_rules,
    rule_file,
    translated,
)
from alerting.rules import AnyRule, CodeRule, Rule

ALERTS = 'ALERTS{{alertname="{0}",alertstate="firing",severity="{1}"}}'


@dataclass(frozen=True)
class Value:
    """What a metric is in PromQL, as far as a translation needs to know."""

    value: str = "X"
    count: str = "N"
    by: Sequence[str] = ()
    differences: Sequence[str] = ()

    @property
    def absence(self) -> str:
        return f"absent({self.value})"


def rule(**fields: Any) -> Rule:
    return Rule.load(
        {
            "name": "many errors",
            "metric": "http.server.request.error_rate",
            "threshold": 0.1,
            "no_data": {"policy": "ok"},
            **fields,
        }
    )


def exported(given: AnyRule, value: Value = Value()) -> ExportedRule:
    (found,) = translated([given], lambda *_, **__: value)
    return found


def test_a_plain_rule_is_itself() -> None:
    found = exported(
        rule(**{"for": "1m"}, labels={"team": "a"}, runbook_url="https://x.example")
    )

    (alert,) = found.alerts
    assert (found.fidelity, found.reasons) == (Fidelity.EXACT, ())
    assert found.records == {"prs_alerting:many_errors:value": "X"}
    assert alert.expr == "prs_alerting:many_errors:value > 0.1"
    assert (alert.severity, alert.for_) == ("warning", 60.0)
    assert found.labels == {"team": "a"}
    assert found.annotations == {"runbook_url": "https://x.example"}


def test_each_severity_is_an_alert_and_the_worse_inhibits() -> None:
    found = exported(
        rule(threshold={"warning": 0.1, "critical": 0.2}), Value(by=("http_route",))
    )

    assert [(each.severity, each.expr[-3:]) for each in found.alerts] == [
        ("warning", "0.1"),
        ("critical", "0.2"),
    ]
    assert inhibit_rules([found]).splitlines() == [
        "inhibit_rules:",
        r'  - source_matchers: ["alertname=\"many errors\"", "severity=\"critical\""]',
        r'    target_matchers: ["alertname=\"many errors\"", "severity=\"warning\""]',
        '    equal: ["http_route"]',
    ]


def test_who_fires_stays_until_the_recovery_threshold() -> None:
    found = exported(rule(recovery=0.05), Value(by=("http_route",)))

    firing = ALERTS.format("many errors", "warning")
    assert found.alerts[0].expr == (
        "(prs_alerting:many_errors:value > 0.1) or "
        f"(prs_alerting:many_errors:value > 0.05 and on (http_route) {firing})"
    )


def test_too_few_measurements_begin_nothing_and_end_nothing() -> None:
    found = exported(rule(min_count=20))

    firing = ALERTS.format("many errors", "warning")
    assert found.records["prs_alerting:many_errors:count"] == "N"
    assert found.alerts[0].expr == (
        "(prs_alerting:many_errors:value > 0.1 and on () "
        "prs_alerting:many_errors:count >= 20) or "
        f"(prs_alerting:many_errors:value > 0.1 and on () {firing})"
    )
    assert found.fidelity is Fidelity.APPROXIMATE


def test_no_data_can_be_an_alert() -> None:
    found = exported(rule(no_data={"policy": "fire", "for": "10m"}))

    assert [(each.expr, each.for_) for each in found.alerts[1:]] == [
        ("absent(X)", 600.0)
    ]


def test_what_is_absent_is_no_figure() -> None:
    found = exported(rule(aggregation="absent", metric="http.server.request.count"))

    assert found.records == {}
    assert [each.expr for each in found.alerts] == ["absent(X)"]


@pytest.mark.parametrize(
    "fields",
    [{"no_data": "keep"}, {"no_data": {"policy": "ok", "for": "5m"}}],
)
def test_an_alert_without_data_ends_otherwise(fields: dict[str, Any]) -> None:
    found = exported(rule(**fields))

    assert found.fidelity is Fidelity.APPROXIMATE
    assert "without data" in found.reasons[0]


def test_what_the_expression_differs_in_is_passed_on() -> None:
    found = exported(rule(), Value(differences=("interpolated",)))

    assert (found.fidelity, found.reasons) == (Fidelity.APPROXIMATE, ("interpolated",))


def test_code_is_not_exportable() -> None:
    found = exported(CodeRule("backlog", lambda metrics: True))

    assert (found.fidelity, found.alerts) == (Fidelity.NOT_EXPORTABLE, ())


def test_a_metric_that_is_not_exported_says_so() -> None:
    def refuse(*_: object, **__: object) -> Value:
        raise LookupError("shop.basket.size is not exported")

    (found,) = translated([rule()], refuse)

    assert found.fidelity is Fidelity.NOT_EXPORTABLE
    assert found.reasons == ("shop.basket.size is not exported",)


def test_no_two_rules_record_under_one_name() -> None:
    found = translated([rule(), rule(name="many_errors")], lambda *_, **__: Value())

    names = [name for each in found for name in each.records]
    assert names == [
        "prs_alerting:many_errors:value",
        "prs_alerting:many_errors_2:value",
    ]


def test_a_file_reports_what_is_missing_from_it() -> None:
    text = rule_file(
        [exported(CodeRule("back\nlog", lambda metrics: True))], interval=15
    )

    assert text.splitlines() == [
        "# back log: not exportable",
        "#   - its condition is Python code; export a rule on a metric that the code records",
        "groups: []",
    ]
    assert inhibit_rules([]) == "inhibit_rules: []\n"


def test_mimir_has_its_rules_in_a_namespace() -> None:
    text = rule_file([exported(rule())], interval=1.5, form="mimir")

    assert 'namespace: "prs-otel"' in text.splitlines()
    assert "    interval: 1500ms" in text.splitlines()


def test_nothing_in_a_text_is_a_template_or_yaml() -> None:
    found = exported(
        rule(keep_firing_for="30s", annotations={"summary": 'a: "b" {{ $value }}\n# c'})
    )

    text = rule_file([found], interval=15)

    assert (
        r'''          summary: "a: \"b\" {{ \"{{\" }} $value }}\n# c"'''
        in text.splitlines()
    )
    assert "        keep_firing_for: 30s" in text.splitlines()
