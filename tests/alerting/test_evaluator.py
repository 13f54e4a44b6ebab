from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from alerting import evaluator
from alerting.alert import AlertState, Kind, State
from alerting.evaluator import Evaluation, Key, RuleHealth, Setting, evaluate
from alerting.labels import frozen
from alerting.nearest import Nearest
from alerting.rules import (
    AnyRule,
    CodeRule,
    ExternalRule,
    NoData,
    Rule,
    load_rule,
)
from alerting.rules.external import SOURCE, Received
from alerting.source import MetricSource
from tests.support.alerting_source import FakeSource, Reading

NOW = 1_700_000_000.0
SETTING = Setting(max_gap=60.0)


def rule(name: str = "r", **fields: Any) -> Rule:
    return Rule.load({"name": name, "metric": "m", "threshold": 80, **fields})


def code(name: str, answer: object) -> CodeRule:
    def condition(metrics: Mapping[str, float]) -> object:
        if isinstance(answer, Exception):
            raise answer
        return answer

    return CodeRule(name, condition)


def run(
    rules: list[AnyRule],
    source: MetricSource,
    states: Mapping[Key, AlertState] | None = None,
    *,
    now: float = NOW,
    setting: Setting = SETTING,
) -> Evaluation:
    return evaluate(rules, source, states or {}, now=now, setting=setting)


def kinds(evaluation: Evaluation) -> list[tuple[str, Kind]]:
    return [(t.state.rule, t.kind) for t in evaluation.transitions]


def by_route(**values: float) -> list[Reading]:
    return [Reading(v, labels={"http.route": route}) for route, v in values.items()]


def test_the_source_is_asked_what_the_rule_says() -> None:
    source = FakeSource()

    run([rule(aggregation="p95", where={"a": "b"}, by=["c"], window="1m")], source)

    assert source.asked == [
        {
            "metric": "m",
            "aggregation": "p95",
            "where": {"a": "b"},
            "by": ("c",),
            "window": 60.0,
            "now": NOW,
        }
    ]


def test_a_breach_fires_and_is_remembered() -> None:
    source = FakeSource({"m": [Reading(81)]})

    evaluation = run([rule()], source)

    assert kinds(evaluation) == [("r", Kind.FIRING)]
    assert evaluation.states["r", ()].state is State.FIRING
    near = Nearest((), 81, 100, State.FIRING)
    assert evaluation.health == {"r": RuleHealth("ok", NOW, series=1, nearest=near)}


def test_a_good_value_is_nothing_to_remember() -> None:
    evaluation = run([rule()], FakeSource({"m": [Reading(79)]}))

    assert (evaluation.states, evaluation.transitions) == ({}, ())


def test_a_resolved_alert_is_forgotten() -> None:
    fired = run([rule()], FakeSource({"m": [Reading(81)]}))

    over = run([rule()], FakeSource({"m": [Reading(1)]}), fired.states, now=NOW + 15)

    assert kinds(over) == [("r", Kind.RESOLVED)]
    assert over.states == {}


def test_every_label_set_is_an_alert_of_its_own() -> None:
    source = FakeSource({"m": by_route(a=81, b=1, c=99)})

    evaluation = run([rule(by=["http.route"])], source)

    assert sorted(evaluation.states) == [
        ("r", (("http.route", "a"),)),
        ("r", (("http.route", "c"),)),
    ]


def test_the_scope_is_part_of_every_alert() -> None:
    setting = Setting(max_gap=60, scope=frozen({"host.name": "web1"}))
    source = FakeSource({"m": by_route(a=81)}, {})

    evaluation = run(
        [rule(by=["http.route"]), code("c", True)], source, setting=setting
    )

    assert sorted(evaluation.states) == [
        ("c", (("host.name", "web1"),)),
        ("r", (("host.name", "web1"), ("http.route", "a"))),
    ]


def test_a_series_that_is_gone_has_no_data_and_is_not_resolved() -> None:
    rules: list[AnyRule] = [rule(by=["http.route"])]
    fired = run(rules, FakeSource({"m": by_route(a=81, b=81)}))

    later = run(rules, FakeSource({"m": by_route(b=81)}), fired.states, now=NOW + 15)

    gone = later.states["r", (("http.route", "a"),)]
    assert (gone.state, gone.no_data_since) == (State.FIRING, NOW + 15)
    assert later.health["r"].health == "ok"


def test_a_series_that_is_gone_while_it_waits_is_forgotten() -> None:
    rules: list[AnyRule] = [rule(by=["http.route"], **{"for": "1m"})]
    states = run(rules, FakeSource({"m": by_route(a=81, b=81)})).states
    for seconds in range(15, 91, 15):
        found = FakeSource({"m": by_route(b=1)})
        states = run(rules, found, states, now=NOW + seconds).states

    assert states == {}


def test_a_rule_without_any_data_says_so() -> None:
    evaluation = run([rule()], FakeSource())

    assert evaluation.health["r"] == RuleHealth("no_data", NOW, series=1)
    assert evaluation.states["r", ()].no_data_since == NOW
    assert evaluation.transitions == ()


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_what_is_not_finite_is_no_data(value: float) -> None:
    evaluation = run([rule()], FakeSource({"m": [Reading(value)]}))

    assert evaluation.health["r"].health == "no_data"
    assert evaluation.transitions == ()


def test_a_good_series_is_remembered_where_its_absence_would_be_an_alert() -> None:
    rules: list[AnyRule] = [rule(by=["http.route"], no_data="fire")]
    good = run(rules, FakeSource({"m": by_route(a=1)}))

    gone = run(rules, FakeSource({"m": []}), good.states, now=NOW + 15)

    assert kinds(gone) == [("r", Kind.FIRING)]


def test_a_failing_rule_keeps_its_state_and_says_why() -> None:
    fired = run([rule()], FakeSource({"m": [Reading(81)]}))

    broken = FakeSource({"m": LookupError("no metric m,\ndid you mean n?")})
    evaluation = run([rule()], broken, fired.states, now=NOW + 15)

    assert evaluation.states == fired.states
    assert evaluation.transitions == ()
    assert evaluation.health["r"] == RuleHealth(
        "error", NOW + 15, "LookupError: no metric m, did you mean n?"
    )


def test_a_failing_rule_harms_no_other() -> None:
    source = FakeSource({"m": OSError("gone"), "n": [Reading(81)]})

    evaluation = run([rule("a"), rule("b", metric="n")], source)

    assert kinds(evaluation) == [("b", Kind.FIRING)]


def test_a_point_that_is_none_fails_its_rule_alone_and_changes_nothing() -> None:
    rules: list[AnyRule] = [
        rule("a", by=["http.route"], min_count=5),
        rule("b", metric="n"),
    ]
    fired = run(rules, FakeSource({"m": by_route(a=81)}))
    odd = Reading(81, count="many", labels={"http.route": "b"})  # type: ignore[arg-type]
    source = FakeSource({"m": [*by_route(a=1), odd], "n": [Reading(81)]})

    evaluation = run(rules, source, fired.states, now=NOW + 15)

    assert kinds(evaluation) == [("b", Kind.FIRING)]
    known = ("a", (("http.route", "a"),))
    assert evaluation.states[known] == fired.states[known]
    assert evaluation.health["a"].health == "error"


def test_absence_is_measured_by_counting() -> None:
    absent = Rule.load({"name": "r", "metric": "m", "aggregation": "absent"})
    source = FakeSource()

    missing = run([absent], source)
    back = run(
        [absent], FakeSource({"m": [Reading(5, 5)]}), missing.states, now=NOW + 1
    )

    assert source.asked[0]["aggregation"] == "count"
    assert (kinds(missing), kinds(back)) == (
        [("r", Kind.FIRING)],
        [("r", Kind.RESOLVED)],
    )


def test_a_condition_receives_the_flat_metrics_read_once() -> None:
    source = FakeSource(flat_metrics={"custom_value": 101})
    rules: list[AnyRule] = [
        CodeRule("a", lambda metrics: metrics["custom_value"] > 100),
        CodeRule("b", lambda metrics: metrics["custom_value"] > 101),
    ]

    evaluation = run(rules, source)

    assert kinds(evaluation) == [("a", Kind.FIRING)]
    assert source.flat_reads == 1


def test_the_flat_metrics_are_not_read_for_nothing() -> None:
    source = FakeSource(flat_metrics=OSError())

    run([rule()], source)

    assert source.flat_reads == 0


@pytest.mark.parametrize("answer", [ZeroDivisionError("oh"), "yes", None])
def test_a_condition_that_fails_marks_its_rule(answer: object) -> None:
    evaluation = run([code("c", answer), code("ok", True)], FakeSource())

    assert evaluation.health["c"].health == "error"
    assert kinds(evaluation) == [("ok", Kind.FIRING)]


def test_a_condition_is_asked_through_whoever_gives_it_time() -> None:
    def ask(rule: CodeRule, metrics: Mapping[str, float]) -> bool:
        raise TimeoutError("no answer within 5 s")

    evaluation = run(
        [code("c", True)], FakeSource(), setting=Setting(max_gap=60, ask=ask)
    )

    assert evaluation.health["c"].last_error == "TimeoutError: no answer within 5 s"


def test_a_condition_cannot_change_what_the_next_one_sees() -> None:
    def greedy(metrics: dict[str, float]) -> bool:
        metrics.clear()
        return False

    rules = [
        load_rule({"name": "greedy", "condition": greedy}),
        load_rule({"name": "next", "condition": lambda m: m["cpu_percent"] > 90}),
    ]

    evaluation = run(rules, FakeSource(flat_metrics={"cpu_percent": 95.0}))

    assert kinds(evaluation) == [("next", Kind.FIRING)]


def test_what_a_condition_has_looked_at_is_known() -> None:
    metrics = {"cpu_percent": 95.0, "api_error_rate": 0.1, "deals": 7.0}

    def condition(found: dict[str, float]) -> bool:
        return found["cpu_percent"] > 90 and found.get("deals", 0) < found.get("no", 9)

    evaluation = run(
        [load_rule({"name": "c", "condition": condition}), code("blind", True)],
        FakeSource(flat_metrics=metrics),
    )

    assert evaluation.looked_at["c"] == {"cpu_percent": 95.0, "deals": 7.0}
    assert evaluation.looked_at["blind"] == {}


def test_of_a_condition_that_looks_at_everything_a_few_are_known() -> None:
    metrics = {f"m{number:02}": 1.0 for number in range(20)}
    greedy = {"name": "c", "condition": lambda m: sum(m[name] for name in metrics) > 1}

    evaluation = run([load_rule(greedy)], FakeSource(flat_metrics=metrics))

    assert list(evaluation.looked_at["c"]) == [f"m{number:02}" for number in range(10)]


def test_alerts_of_a_rule_that_is_gone_are_resolved() -> None:
    source = FakeSource({"m": [Reading(81)]})
    fired = run([rule("a"), rule("b", **{"for": "1h"})], source)

    later = run([], source, fired.states, now=NOW + 15)

    assert [(t.state.rule, t.kind, t.reason) for t in later.transitions] == [
        ("a", Kind.RESOLVED, "the rule was removed")
    ]
    assert later.states == {}


def test_a_storm_is_bounded_and_what_is_known_or_bad_comes_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(evaluator, "SERIES_LIMIT", 3)
    rules: list[AnyRule] = [rule(by=["http.route"])]
    fired = run(rules, FakeSource({"m": by_route(z=81)}))
    storm = FakeSource({"m": by_route(a=1, b=81, c=2, d=82, e=3)})

    evaluation = run(rules, storm, fired.states, now=NOW + 15)

    assert sorted(labels[0][1] for _, labels in evaluation.states) == ["b", "d", "z"]
    assert (evaluation.health["r"].series, evaluation.health["r"].dropped) == (3, 3)


STEPS = [
    (15.0, 3.0),
    (15.0, 3.0),
    (15.0, 1.0),
    (15.0, 1.0),
    (7200.0, 1.0),
    (15.0, None),
    (15.0, 1.0),
    (0.0, 1.0),
    (-30.0, 1.0),
    (-7200.0, 1.0),
    (15.0, 1.0),
    (15.0, 0.0),
]


@pytest.mark.parametrize("policy", ["ok", "keep"])
def test_an_external_alert_that_goes_on_is_what_its_life_would_make_of_it(
    monkeypatch: pytest.MonkeyPatch, policy: Any
) -> None:
    labels = frozen({SOURCE: "prometheus"})

    def lived() -> list[Evaluation]:
        states: Mapping[Key, AlertState] = {}
        found, now = [], 1_700_000_000.0
        for after, value in STEPS:
            now += after
            heard = {labels: Received(value)}
            rules = [ExternalRule("down", heard, NoData(policy=policy))]
            setting = Setting(max_gap=3600.0)
            found.append(
                evaluate(rules, FakeSource(), states, now=now, setting=setting)
            )
            states = found[-1].states
        return found

    shortened = lived()
    monkeypatch.setattr(evaluator._Run, "_goes_on", lambda *_: False)

    assert shortened == lived()
