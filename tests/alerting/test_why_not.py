"""Why a rule does not fire, as its evaluator has recorded it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pytest
from django.test import override_settings
from django.utils import timezone

from alerting import documents, stored_silences
from alerting.alert import Sample
from alerting.explanation import RulesInCode, explain_why
from alerting.labels import Labels
from alerting.models import Alert, StoredRule
from alerting.nearest import nearest
from alerting.report import STATUS
from alerting.rules import AnyRule, load_rule
from alerting.status import Status
from alerting.system import alerting_system
from tests.support.alerting_source import Reading
from tests.support.alerting_world import METRIC, RULE, World

pytestmark = pytest.mark.django_db

NAME = RULE["name"]


def status_of(world: World, *, after: float = 0.0) -> Status:
    known = [rule.name for rule in world.rules]
    now = world.clock.now + after
    return documents.status(world.journal.get(STATUS), known_rules=known, now=now)


def explained(
    world: World,
    name: str = NAME,
    *,
    after: float = 0.0,
    rules: Sequence[AnyRule] | None = None,
    removed: Sequence[str] = (),
) -> tuple[list[str], str]:
    """Return the steps that were told, and what holds the rule up."""
    known = world.rules if rules is None else rules
    in_code = RulesInCode([("built-in", rule) for rule in known], removed)
    now = world.clock.now + after
    found = explain_why(name, status_of(world, after=after), in_code, now=now)
    assert [each.passes for each in found.reasons[:-1]].count(False) <= 1
    return [each.step for each in found.reasons], found.verdict


def evaluated(*values: float, count: int = 100, **rule: Any) -> World:
    world = World(rules=[load_rule({**RULE, **rule})])
    world.source.says(METRIC, *values, count=count)
    world.runner.tick(world.clock.now)
    return world


def test_the_value_is_held_against_the_threshold() -> None:
    steps, verdict = explained(evaluated(0.1))

    assert steps == ["rule", "evaluator", "health", "data", "value"]
    assert verdict == "the worst value 10 % is not > 80 %"


def test_of_many_series_the_worst_is_named() -> None:
    world = World(rules=[load_rule({**RULE, "by": ["http.route"]})])
    world.source.answers[METRIC] = [
        Reading(value, labels={"http.route": route})
        for value, route in ((0.5, "/a/"), (0.79, "/b/"), (0.1, "/c/"))
    ]
    world.runner.tick(world.clock.now)

    assert explained(world)[1] == "the worst value 79 % is not > 80 % (http.route=/b/)"


def test_what_may_not_be_low_is_worst_when_it_is_lowest() -> None:
    rule = {**RULE, "by": ["x"], "operator": "<", "threshold": 0.05}
    world = World(rules=[load_rule(rule)])
    world.source.answers[METRIC] = [
        Reading(value, labels={"x": str(value)}) for value in (0.5, 0.1, 0.9)
    ]
    world.runner.tick(world.clock.now)

    assert explained(world)[1] == "the worst value 10 % is not < 5 % (x=0.1)"


def test_too_few_measurements_prove_nothing() -> None:
    steps, verdict = explained(evaluated(0.95, count=3, min_count=5))

    assert steps[-2:] == ["value", "count"]
    assert verdict == "it rests on 3 measurements, min_count is 5"


def test_what_has_to_last_is_pending_since_then() -> None:
    lasting: dict[str, Any] = {"for": "5m"}
    world = evaluated(0.95, **lasting)
    world.evaluate(0.95, after=60.0)

    steps, verdict = explained(world, after=15.0)

    assert steps[-1] == "duration"
    assert "pending since" in verdict
    assert verdict.endswith("1 min 15 s of 5 min")


def test_what_fires_is_held_up_by_nothing() -> None:
    steps, verdict = explained(evaluated(0.95))

    assert (steps[-1], verdict) == ("duration", "")


def test_without_data_there_is_nothing_to_judge() -> None:
    steps, verdict = explained(evaluated())

    assert steps[-1] == "data"
    assert verdict == "there is no data: nothing was measured in the window"


def test_a_rule_that_fails_says_how() -> None:
    world = World()
    world.source.answers[METRIC] = LookupError("no metric derived")
    world.runner.tick(world.clock.now)

    steps, verdict = explained(world)

    assert steps[-1] == "health"
    assert "could not be evaluated" in verdict
    assert "no metric derived" in verdict


def test_a_condition_says_yes_or_no() -> None:
    def condition(metrics: Mapping[str, float]) -> bool:
        return False

    world = World(rules=[load_rule({"name": "code", "condition": condition})])
    world.runner.tick(world.clock.now)

    assert explained(world, "code")[1] == "the condition said no"


def test_a_condition_that_says_yes_rests_on_no_measurements() -> None:
    world = World(rules=[load_rule({"name": "code", "condition": lambda _: True})])
    world.runner.tick(world.clock.now)

    steps, verdict = explained(world, "code")

    assert steps == ["rule", "evaluator", "health", "data", "value", "duration"]
    assert "count" not in verdict


def test_where_nobody_evaluates_nothing_fires() -> None:
    steps, verdict = explained(World())

    assert steps == ["rule", "evaluator"]
    assert "nobody evaluates" in verdict


def test_an_evaluator_that_is_gone_is_named() -> None:
    steps, verdict = explained(evaluated(0.5), after=600.0)

    assert steps[-1] == "evaluator"
    assert "(web1, process 42) has not evaluated since" in verdict


def test_a_rule_the_evaluator_does_not_have_says_so() -> None:
    world = evaluated(0.5)
    late = load_rule({**RULE, "name": "late"})

    assert (
        "the evaluator does not have the rule"
        in explained(world, "late", rules=[*world.rules, late])[1]
    )


def test_an_unknown_rule_is_answered_with_the_one_that_was_meant() -> None:
    verdict = explained(evaluated(0.5), "high_cpu_usge")[1]

    assert verdict == "there is no rule 'high_cpu_usge'; did you mean 'high_cpu_usage'?"


def test_a_rule_that_was_switched_off_in_code_says_so() -> None:
    world = evaluated(0.5)

    verdict = explained(world, rules=[], removed=[NAME])[1]

    assert verdict == "the rule was switched off by remove_alert_rule()"


def test_a_rule_that_is_gone_is_known_by_its_alerts() -> None:
    world = evaluated(0.95)
    assert Alert.objects.count() == 1

    assert "was removed" in explained(world, rules=[])[1]


def test_a_stored_rule_that_cannot_be_read_says_why() -> None:
    StoredRule.objects.create(
        name="odd", definition={"metric": 5}, updated_at=timezone.now()
    )

    assert "the stored rule cannot be read" in explained(World(), "odd")[1]


def test_what_is_silenced_would_not_be_told() -> None:
    world = evaluated(0.5)
    silence = stored_silences.timed(
        {"alertname": NAME}, hours=1, comment="moving house", now=world.clock.now
    )
    stored_silences.create(silence, author="alice", now=world.clock.now)

    found = explain_why(
        NAME,
        status_of(world),
        RulesInCode([("built-in", rule) for rule in world.rules]),
        now=world.clock.now,
    )

    assert [each.step for each in found.reasons[-2:]] == ["value", "muted"]
    assert "would not be told: silenced" in found.reasons[-1].text
    assert "is not >" in found.verdict


def test_what_another_alert_inhibits_would_not_be_told() -> None:
    world = World(
        rules=[load_rule(RULE), load_rule({**RULE, "name": "other", "threshold": 2})]
    )
    world.step(0.95)
    inhibition = {"source": {"alertname": NAME}, "target": {"alertname": "other"}}

    with override_settings(ALERTING_SETTINGS={"INHIBITIONS": [inhibition]}):
        steps, _ = explained(world, "other")

    assert steps[-1] == "muted"


# --- Python and HTTP ------------------------------------------------------------------


@pytest.fixture
def published() -> Iterator[World]:
    world = evaluated(0.5)
    before = alerting_system._status
    alerting_system.use_status(lambda _: status_of(world))
    yield world
    alerting_system.use_status(before)


@pytest.mark.usefixtures("published")
def test_python_explains_rules_and_alerts() -> None:
    found = alerting_system.explain(NAME)

    assert (found["rule"], found["alerts"]) == (NAME, [])
    assert found["verdict"] == "the worst value 50 % is not > 80 %"
    assert "did you mean" in alerting_system.explain("high_cpu")["verdict"]
    with pytest.raises(LookupError, match="no alert"):
        alerting_system.explain("11111111-2222-3333-4444-555555555555")


def test_python_explains_an_alert_by_its_id(published: World) -> None:
    published.step(0.95)
    alert = Alert.objects.get()

    found = alerting_system.explain(alert.pk)

    assert found["alert"]["name"] == NAME
    assert [step["kind"] for step in found["steps"]] == ["firing"]


def test_who_may_not_read_rules_is_not_told_their_figures() -> None:
    world = evaluated(0.5)
    hidden = status_of(world).without_texts()
    in_code = RulesInCode([("built-in", rule) for rule in world.rules])

    found = explain_why(NAME, hidden, in_code, now=world.clock.now)

    assert [each.step for each in found.reasons][-1] == "data"
    assert found.health is not None
    assert found.health.nearest is None


@pytest.mark.parametrize(
    ("operator", "threshold", "worst"),
    [(">", 5, 3.0), (">=", 5, 3.0), ("<", 0, 1.0), ("<=", 0, 1.0), ("==", 2, 2.0)],
)
def test_which_value_is_worst_depends_on_the_operator(
    operator: str, threshold: float, worst: float
) -> None:
    rule = {**RULE, "operator": operator, "threshold": threshold}
    mildest = load_rule(rule).rungs[0]
    samples: dict[Labels, Sample] = {
        (("x", str(n)),): Sample(n) for n in (None, 1.0, 3.0, 2.0)
    }

    found = nearest(samples, mildest, lambda _: None)

    assert found is not None
    assert found.value == worst
    assert nearest({(): Sample(None)}, mildest, lambda _: None) is None
