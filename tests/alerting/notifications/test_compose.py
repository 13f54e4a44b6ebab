from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest

from alerting.alert import AlertState, Kind, State, Transition
from alerting.notice import Notice, alert_id
from alerting.notifications.compose import (
    EVIDENCE_AT_ONCE,
    EVIDENCE_LIMIT,
    Circumstances,
    compose,
    gather_evidence,
    worth_evidence,
)
from alerting.rules import AnyRule, Rule, Severity, load_rule
from tests.support.alerting_source import FakeSource

AT = 1_700_000_000.0
LABELS = (("host.name", "web1"), ("http.route", "/deals/"))
FIRED = AlertState(
    "deals_errors",
    LABELS,
    state=State.FIRING,
    severity=Severity.CRITICAL,
    value=0.25,
    at=AT,
    started_at=AT - 60,
    fired_at=AT,
    sequence=1,
)


def rule(**fields: Any) -> Rule:
    return Rule.load(
        {
            "name": "deals_errors",
            "metric": "http.server.request.error_rate",
            "threshold": {"critical": 0.2},
            "by": ["http.route"],
            "annotations": {"summary": "Deals fail"},
            **fields,
        }
    )


def step(kind: Kind = Kind.FIRING, *, reason: str = "", **changes: Any) -> Transition:
    return Transition(kind, AT, FIRED, replace(FIRED, **changes), reason)


OVER = step(Kind.RESOLVED, state=State.RESOLVED, value=0.01, fired_at=AT - 300)


def composed(transition: Transition, about: AnyRule | None, **flat: float) -> Notice:
    return compose(transition, Circumstances(about, 3, flat, {"traces": []}))


def test_a_notice_has_everything_there_is_to_say() -> None:
    about = rule(labels={"team": "x"}, cooldown=60, runbook_url="https://x.example")

    found = composed(step(), about)

    assert found.alert_id == alert_id(found.fingerprint, 3)
    assert (found.kind, found.state, found.episode) == ("firing", "firing", 3)
    assert (found.value, found.threshold, found.operator) == (0.25, 0.2, ">")
    assert (found.window, found.cooldown) == (300, 60)
    assert found.all_labels == {**dict(LABELS), "team": "x"}
    assert found.message == "Deals fail: 25 % > 20 % (http.route=/deals/)"
    assert found.runbook_url == "https://x.example"
    assert found.evidence == {"traces": []}


def test_an_alert_keeps_the_name_of_its_episode() -> None:
    assert composed(step(alert_id="known"), rule()).alert_id == "known"


@pytest.mark.parametrize(
    ("transition", "about", "expected"),
    [
        (
            step(),
            rule(annotations={}),
            "ratio of http.server.request.error_rate: 25 % > 20 % (http.route=/deals/)",
        ),
        (step(reason="no data"), rule(), "Deals fail: no data (http.route=/deals/)"),
        (
            OVER,
            rule(),
            "Deals fail: over after 5 min, now 1 % (http.route=/deals/)",
        ),
        (
            replace(OVER, reason="no data"),
            rule(),
            "Deals fail: over after 5 min (no data) (http.route=/deals/)",
        ),
        (
            replace(OVER, reason="the rule was removed"),
            None,
            "The alert: over after 5 min (the rule was removed) (http.route=/deals/)",
        ),
        (
            step(severity=Severity.WARNING),
            rule(),
            "Deals fail",
        ),
    ],
)
def test_the_message_says_what_happened(
    transition: Transition, about: AnyRule | None, expected: str
) -> None:
    assert composed(transition, about).message == expected


@pytest.mark.parametrize(
    ("aggregation", "value", "expected"),
    [
        ("count", 12.0, "Deals fail: 12 > 10"),
        ("rate", 12.0, "Deals fail: 12 /s > 10 /s"),
        ("p95", 12.0, "Deals fail: 12 s > 10 s"),
    ],
)
def test_the_message_has_the_unit_of_the_aggregation(
    aggregation: str, value: float, expected: str
) -> None:
    about = rule(
        metric="http.server.request.duration",
        aggregation=aggregation,
        threshold={"critical": 10},
    )

    found = composed(step(value=value, labels=()), about)

    assert (found.message, found.aggregation) == (expected, aggregation)


def test_what_is_absent_is_neither_a_duration_nor_a_share() -> None:
    about = rule(
        metric="http.server.request.duration",
        aggregation="absent",
        threshold=0,
        severity="critical",
        by=[],
    )

    found = composed(step(value=1.0, labels=()), about)

    assert found.message == "Deals fail: 1 > 0"


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"message_template": "CPU at {cpu_percent:.1f} %"}, "CPU at 93.2 %"),
        ({"annotations": {"summary": "Backlog"}}, "Backlog"),
        ({}, "The condition of code"),
    ],
)
def test_the_message_of_a_rule_in_code_is_its_own(
    fields: dict[str, Any], expected: str
) -> None:
    about = load_rule({"name": "code", "condition": bool, **fields})

    found = composed(step(value=1.0), about, cpu_percent=93.25)

    assert found.message == expected
    assert (found.metric, found.value, found.threshold) == ("", None, None)


def test_an_alert_that_was_never_dated_is_as_old_as_its_notice() -> None:
    found = composed(step(started_at=None, fired_at=None, severity=None), rule())

    assert (found.started_at, found.fired_at, found.severity) == (AT, AT, "warning")
    over = step(Kind.RESOLVED, fired_at=None)
    assert ": over, now" in composed(over, rule()).message


def test_evidence_is_asked_for_the_series_that_alarmed() -> None:
    source = FakeSource(behind={"traces": ["t"]})

    evidence = gather_evidence(source, rule(where={"a": "b"}), step())

    assert evidence == {
        "traces": ["t"],
        "asked": [
            "http.server.request.error_rate",
            {"a": "b", "http.route": "/deals/"},
        ],
    }


@pytest.mark.parametrize(
    ("source", "about", "transition"),
    [
        (FakeSource(behind={"a": 1}), rule(), OVER),
        (
            FakeSource(behind={"a": 1}),
            load_rule({"name": "c", "condition": bool}),
            step(),
        ),
        (FakeSource(behind=OSError("gone")), rule(), step()),
        (FakeSource(behind={"a": object()}), rule(), step()),
        (FakeSource(behind={"a": "x" * EVIDENCE_LIMIT}), rule(), step()),
    ],
)
def test_an_alarm_does_not_fail_for_want_of_evidence(
    source: FakeSource, about: AnyRule, transition: Transition
) -> None:
    assert gather_evidence(source, about, transition) == {}


def test_what_a_condition_in_code_looked_at_stands_behind_its_alarm() -> None:
    about = load_rule({"name": "c", "condition": bool})
    seen = {"cpu_percent": 93.25, "broken": math.nan}

    evidence = gather_evidence(FakeSource(), about, step(), looked_at=seen)

    assert evidence == {"metrics": {"cpu_percent": 93.25}}
    assert gather_evidence(FakeSource(), about, OVER, looked_at=seen) == {}


def test_long_statements_leave_room_for_all_other_evidence() -> None:
    long = {"fingerprint": "ab12", "query": "SELECT " * 1_000, "share": 0.5}
    source = FakeSource(behind={"contributors": [long] * 5, "traces": ["a" * 32]})

    evidence = gather_evidence(source, rule(), step())

    assert evidence["traces"] == ["a" * 32]
    assert {len(each["query"]) for each in evidence["contributors"]} == {1_001}
    assert evidence["contributors"][0]["share"] == 0.5


def storm(name: str, alerts: int, severity: Severity) -> list[Transition]:
    return [
        step(rule=name, labels=(("http.route", f"/{n:04}/"),), severity=severity)
        for n in range(alerts)
    ]


def test_in_a_storm_evidence_is_looked_for_a_few_times_only() -> None:
    steps = storm("storm", 1_000, Severity.WARNING)

    assert len(worth_evidence(steps)) == EVIDENCE_AT_ONCE


def test_a_storm_leaves_the_evidence_of_other_rules_and_of_what_is_worse() -> None:
    late = storm("storm", 1, Severity.CRITICAL)[0]
    late = replace(late, state=replace(late.state, labels=(("http.route", "/zz/"),)))
    other = storm("other", 1, Severity.INFO)
    steps = [*storm("storm", 1_000, Severity.WARNING), late, *other]

    found = worth_evidence(steps)

    assert ("storm", (("http.route", "/zz/"),)) in found
    assert ("other", (("http.route", "/0000/"),)) in found


def test_only_alarms_are_worth_evidence() -> None:
    assert worth_evidence([OVER]) == set()


def test_evidence_that_is_not_looked_for_is_not_there() -> None:
    source = FakeSource(behind={"traces": ["4bf9"]})

    assert gather_evidence(source, rule(), step(), is_searched=False) == {}
