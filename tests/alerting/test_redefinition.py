"""Rules that are edited while their alerts are open."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from alerting.alert import AlertState, Kind, State
from alerting.evaluator import Evaluation, Key, Setting, evaluate
from alerting.labels import Labels, frozen
from alerting.notice import Notice
from alerting.redefinition import CHANGED
from alerting.rules import AnyRule, CodeRule, load_rule
from tests.support.alerting_source import FakeSource, Reading
from tests.support.alerting_world import METRIC, RULE, World, alerts

NOW = 1_700_000_000.0
MINUTE = 60.0
HOST: Labels = (("host.name", "web-1"),)
SETTING = Setting(max_gap=3600.0, scope=HOST)
BY_ROUTE: dict[str, Any] = {"by": ["http.route"]}


def rule(**fields: Any) -> AnyRule:
    return load_rule({"name": "r", "metric": "m", "threshold": 80, **fields})


def labels(**found: str) -> Labels:
    return frozen({**dict(HOST), **found})


ROUTE_A = labels(**{"http.route": "/a/"})


def readings(metric: str = "m", **routes: float) -> FakeSource:
    """Return a source with a value of each route, and none of anything else."""
    found = [Reading(v, labels={"http.route": f"/{k}/"}) for k, v in routes.items()]
    return FakeSource({metric: found})


def run(
    wanted: AnyRule,
    source: FakeSource,
    states: Mapping[Key, AlertState] | None = None,
    *,
    after: float = 0.0,
) -> Evaluation:
    return evaluate([wanted], source, states or {}, now=NOW + after, setting=SETTING)


def ends(evaluation: Evaluation) -> list[tuple[Kind, str, Labels]]:
    return [(t.kind, t.reason, t.state.labels) for t in evaluation.transitions]


@pytest.mark.parametrize(
    "edited",
    [
        {"by": ["db.system"]},
        {"by": ["http.route", "db.system"]},
        {"by": []},
        {"aggregation": "absent", "threshold": 0},
    ],
)
def test_an_alert_whose_labels_the_rule_no_longer_has_resolves_at_once(
    edited: dict[str, Any],
) -> None:
    fired = run(rule(**BY_ROUTE), readings(a=81))
    good = [Reading(1, labels=dict.fromkeys(edited.get("by", ()), "x"))]

    later = run(rule(**edited), FakeSource({"m": good}), fired.states, after=15)

    assert ends(later) == [(Kind.RESOLVED, CHANGED, ROUTE_A)]
    assert later.states == {}


def test_a_rule_in_code_takes_no_label_sets_over_and_loses_none() -> None:
    fired = run(rule(**BY_ROUTE), readings(a=81))

    later = run(CodeRule("r", lambda _: False), FakeSource(), fired.states, after=15)

    assert ends(later) == [(Kind.RESOLVED, CHANGED, ROUTE_A)]


def test_a_rule_that_is_split_by_a_label_ends_what_it_said_of_all() -> None:
    fired = run(rule(), FakeSource({"m": [Reading(81)]}))

    later = run(rule(**BY_ROUTE), readings(a=81), fired.states, after=15)

    assert ends(later) == [
        (Kind.RESOLVED, CHANGED, HOST),
        (Kind.FIRING, "", ROUTE_A),
    ]


def test_an_alert_goes_on_where_the_new_definition_has_its_labels() -> None:
    fired = run(rule(**BY_ROUTE), readings(a=81))
    edited = rule(metric="n", where={"x": "y"}, threshold=5, **BY_ROUTE)

    goes_on = run(edited, readings("n", a=6), fired.states, after=15)
    over = run(edited, readings("n", a=4), goes_on.states, after=30)

    assert goes_on.transitions == ()
    assert ends(over) == [(Kind.RESOLVED, "", ROUTE_A)]


@pytest.mark.parametrize(
    "edited",
    [{"metric": "n"}, {"where": {"x": "y"}}, {"threshold": {"critical": 80}}],
)
@pytest.mark.parametrize("by", [{}, BY_ROUTE])
def test_an_alert_the_new_definition_does_not_find_in_a_window_resolves(
    by: dict[str, Any], edited: dict[str, Any]
) -> None:
    found = readings(a=81) if by else FakeSource({"m": [Reading(81)]})
    states = run(rule(**by), found).states
    wanted = rule(window="2m", **by, **edited)

    kinds = []
    for minute in (1, 2, 3):
        later = run(wanted, FakeSource(), states, after=minute * MINUTE)
        states = later.states
        kinds.append([(t.kind, t.reason) for t in later.transitions])

    assert kinds == [[], [], [(Kind.RESOLVED, CHANGED)]]


def test_an_alert_of_a_rule_that_only_has_another_limit_waits_for_data() -> None:
    states = run(rule(), FakeSource({"m": [Reading(81)]})).states
    edited = rule(threshold=70, annotations={"a": "b"}, labels={"team": "x"})

    for hour in range(1, 5):
        later = run(edited, FakeSource(), states, after=hour * 3600)
        states = later.states

    assert [state.state for state in states.values()] == [State.FIRING]


def test_what_was_measured_before_is_not_missed_after() -> None:
    fires: dict[str, Any] = {"no_data": "fire"} | BY_ROUTE
    good = run(rule(**fires), readings(a=1))
    edited = rule(metric="n", window="2m", **fires)

    states = good.states
    for minute in range(1, 6):
        later = run(edited, FakeSource(), states, after=minute * MINUTE)
        states = later.states
        assert later.transitions == ()

    assert states == {}


def test_a_single_series_goes_by_the_new_policy_for_missing_data() -> None:
    fired = run(rule(), FakeSource({"m": [Reading(81)]}))

    later = run(rule(metric="n", no_data="ok"), FakeSource(), fired.states, after=15)

    assert ends(later) == [(Kind.RESOLVED, "no data", HOST)]


@pytest.mark.django_db
def test_an_alert_of_an_edited_rule_is_told_to_be_over_and_why() -> None:
    world = World(rules=[load_rule(RULE)])
    world.step(0.85)
    world.rules[:] = [load_rule({**RULE, **BY_ROUTE})]

    world.step()

    assert world.channel.told == [
        "high_cpu_usage firing warning",
        "high_cpu_usage resolved warning",
    ]
    assert world.channel.sent[-1].notices[0].reason == CHANGED


@pytest.mark.django_db
def test_a_rule_edited_while_nobody_evaluates_is_noticed_without_any_memory() -> None:
    old = World(rules=[load_rule(RULE)])
    old.step(0.85)
    edited = load_rule({**RULE, "metric": "errors.count", "window": "1m"})
    new = World(rules=[edited], clock=old.clock, channels=old.channels, holder="second")
    new.source.answers[METRIC] = []

    new.step()
    assert alerts() == [("high_cpu_usage", "warning", "firing")]
    new.step(after=MINUTE)

    assert alerts() == [("high_cpu_usage", "warning", "resolved")]


@pytest.mark.django_db
@pytest.mark.parametrize("labels_", [{}, {"team": "b"}, {"other": "c"}])
def test_an_alert_goes_on_under_other_labels_of_its_rule(
    labels_: dict[str, str],
) -> None:
    world = World(rules=[load_rule({**RULE, "labels": {"team": "a"}})])
    world.step(0.85)
    world.rules[:] = [load_rule({**RULE, "labels": labels_})]

    world.step(0.85)
    world.step(0.5)

    assert world.channel.told == [
        "high_cpu_usage firing warning",
        "high_cpu_usage resolved warning",
    ]
    assert alerts() == [("high_cpu_usage", "warning", "resolved")]


def test_what_a_rule_looked_at_is_remembered_in_each_notice() -> None:
    fired = run(rule(), FakeSource({"m": [Reading(81)]}))
    [state] = fired.states.values()
    assert state.measures
    data = {
        "alert_id": "x",
        "fingerprint": "y",
        "episode": 1,
        "sequence": 1,
        "kind": "firing",
        "state": "firing",
        "name": "r",
        "severity": "warning",
        "labels": (),
        "at": NOW,
        "started_at": NOW,
        "fired_at": NOW,
        "message": "",
    }

    assert Notice.from_json(data).to_state().measures == ""
    known = Notice.from_json({**data, "measures": state.measures})
    assert known.to_state().measures == state.measures
