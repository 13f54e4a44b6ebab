"""Silences and inhibitions, from the evaluation to what is sent."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, NoReturn
from uuid import UUID

import pytest
from django.db import DatabaseError

from alerting import history, stored_silences
from alerting.models import Delivery, StoredSilence
from alerting.notifications.muting import Inhibition
from alerting.notifications.silence import Silence
from alerting.rules import load_rule
from alerting.stored_silences import create, expire
from tests.support.alerting_source import Reading
from tests.support.alerting_world import METRIC, RULE, World, deliveries

pytestmark = pytest.mark.django_db

HOUR = 3600.0


def silenced(world: World, *, hours: float = 1, **fields: Any) -> UUID:
    now = world.clock.now
    wanted = Silence.model_validate(
        {
            "matchers": {"alertname": "high_cpu_usage"},
            "starts_at": datetime.fromtimestamp(now, UTC),
            "ends_at": datetime.fromtimestamp(now + hours * HOUR, UTC),
            "comment": "moving house",
            **fields,
        }
    )
    return UUID(create(wanted, author="ann", now=now).id)


def test_what_is_silenced_fires_and_is_not_told() -> None:
    world = World()
    silenced(world)

    world.step(0.85)

    assert world.channel.told == []
    [(kind, state, reason)] = deliveries()
    assert (kind, state) == ("firing", "due")
    assert reason == 'silenced by ann (moving house): alertname="high_cpu_usage"'


def test_what_still_fires_when_a_silence_ends_is_told_then() -> None:
    world = World()
    silenced(world)
    world.step(0.85)

    world.step(0.85, after=HOUR - 60)
    assert world.channel.told == []
    world.step(0.85, after=60)

    assert world.channel.told == ["high_cpu_usage firing warning"]


def test_what_is_over_before_its_silence_is_never_told() -> None:
    world = World()
    silenced(world)
    for value in (0.85, 0.5):
        world.step(value)
    world.step(0.5, after=2 * HOUR)

    assert world.channel.told == []
    assert [state for _, state, _ in deliveries()] == ["skipped", "skipped"]


def test_who_was_told_before_a_silence_hears_of_the_end_within_it() -> None:
    world = World()
    world.step(0.85)
    silenced(world)
    world.step(0.5)

    assert world.channel.told == [
        "high_cpu_usage firing warning",
        "high_cpu_usage resolved warning",
    ]


def test_a_silence_that_is_ended_mutes_no_longer() -> None:
    world = World()
    made = silenced(world)
    world.step(0.85)
    world.clock.advance(60)
    assert expire(made, now=world.clock.now)

    world.step(0.85)

    assert world.channel.told == ["high_cpu_usage firing warning"]


def test_a_silence_made_while_a_telling_waits_is_obeyed() -> None:
    world = World()
    world.evaluate(0.85)  # decided, not sent yet
    silenced(world)

    world.step(0.85)

    assert world.channel.told == []


def test_a_longer_silence_takes_over_from_a_shorter_one() -> None:
    world = World()
    silenced(world, hours=1)
    world.step(0.85)
    silenced(world, hours=3, comment="still moving")
    world.step(0.85)

    world.step(0.85, after=2 * HOUR)
    assert world.channel.told == []
    world.step(0.85, after=HOUR)

    assert world.channel.told == ["high_cpu_usage firing warning"]


def test_a_silence_of_warnings_lets_what_is_critical_through() -> None:
    world = World()
    silenced(world, matchers={"alertname": "high_cpu_usage", "severity": "warning"})
    world.step(0.85)
    world.step(0.95)

    assert world.channel.told == ["high_cpu_usage escalated critical"]


def test_the_labels_of_a_rule_can_be_silenced() -> None:
    world = World(rules=[load_rule({**RULE, "labels": {"team": "payments"}})])
    silenced(world, matchers=[{"name": "team", "operator": "~", "value": "pay*"}])

    world.step(0.85)

    assert world.channel.told == []


def test_a_silence_of_something_else_mutes_nothing() -> None:
    world = World()
    silenced(world, matchers={"alertname": "other"})
    world.step(0.85)

    assert world.channel.told == ["high_cpu_usage firing warning"]


def test_without_the_database_the_silences_last_read_are_in_force(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(*_: object, **__: object) -> NoReturn:
        raise DatabaseError

    world = World()
    silenced(world)
    world.step(0.5)
    monkeypatch.setattr(stored_silences, "_not_over", fail)

    world.step(0.85)

    assert world.channel.told == []


@pytest.mark.parametrize("definition", [{"matchers": "all of them"}, ["all of them"]])
def test_a_silence_nobody_understands_any_more_mutes_nothing(
    caplog: pytest.LogCaptureFixture, definition: object
) -> None:
    world = World()
    silenced(world)
    StoredSilence.objects.update(definition=definition)

    world.step(0.85)

    assert world.channel.told == ["high_cpu_usage firing warning"]
    assert "is left out" in caplog.text


@pytest.mark.parametrize(
    "hours", [("00:00+02:00", "23:59"), ("00:00", "23:59Z"), ("00:00Z", "23:59Z")]
)
def test_hours_with_an_offset_of_their_own_stop_no_alerting(
    hours: tuple[str, str],
) -> None:
    world = World()
    start, end = hours
    weekly = {"weekdays": list(range(7)), "start": start, "end": end}
    silenced(world, matchers={"alertname": "other"}, weekly=weekly)

    world.step(0.85)

    assert world.channel.told == ["high_cpu_usage firing warning"]


@pytest.mark.parametrize("broken", ["until", "matchers"])
def test_a_silence_that_raises_harms_only_itself_and_is_logged_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, broken: str
) -> None:
    class Broken(Silence):
        def __getattribute__(self, name: str) -> Any:
            if name == broken:
                raise ZeroDivisionError("oh")
            return super().__getattribute__(name)

    world = World(rules=[load_rule(RULE), load_rule({**RULE, "name": "other"})])
    bad, _ = silenced(world), silenced(world, matchers={"alertname": "other"})
    real = stored_silences.read

    def read(rows: Any) -> list[Silence]:
        return [
            Broken.model_validate(dict(each)) if each.id == str(bad) else each
            for each in real(rows)
        ]

    monkeypatch.setattr(stored_silences, "read", read)
    for value in (0.85, 0.95, 0.5, 0.95):
        world.step(value)

    assert world.channel.told[0] == "high_cpu_usage firing warning"
    assert not any("other" in each for each in world.channel.told)
    said = [r.getMessage() for r in caplog.records if "mutes nothing" in r.message]
    assert said == [f"The silence {bad} mutes nothing: ZeroDivisionError: oh"]


# --- inhibition -------------------------------------------------------------------------

ROUTES = ("/a/", "/b/")


def two_rules(**inhibition: Any) -> World:
    """Return a world in which `down` inhibits `slow`."""
    by_route = {"by": ["http.route"]}
    down = {"name": "down", "metric": "errors.count", "threshold": 0, **by_route}
    slow = {"name": "slow", "metric": METRIC, "threshold": 0.5, **by_route}
    pair = {"source": {"alertname": "down"}, "target": {"alertname": "slow"}}
    return World(
        rules=[load_rule(down), load_rule(slow)],
        inhibitions=[Inhibition.model_validate({**pair, **inhibition})],
        batch_size=1,
    )


def step(world: World, *, down: str = "", slow: str = "", after: float = 15.0) -> None:
    """Let routes be down or slow for one evaluation."""
    for metric, which in (("errors.count", down), (METRIC, slow)):
        world.source.answers[metric] = [
            Reading(float(route in which), 100, {"http.route": route})
            for route in ROUTES
        ]
    world.clock.advance(after)
    world.runner.tick(world.clock.now)
    world.deliver()


def test_what_another_alert_explains_is_not_told_while_that_fires() -> None:
    world = two_rules()
    for _ in range(20):
        step(world, down="/a/", slow="/a/")

    assert world.channel.told == ["down firing warning"]
    reasons = Delivery.objects.filter(alert__name="slow").values_list(
        "reason", flat=True
    )
    assert list(reasons) == ["inhibited by down, which fires too"]


def test_what_still_fires_when_nothing_explains_it_any_more_is_told() -> None:
    world = two_rules()
    step(world, down="/a/", slow="/a/")
    step(world, slow="/a/")

    assert world.channel.told[0] == "down firing warning"
    assert set(world.channel.told[1:]) == {
        "down resolved warning",
        "slow firing warning",
    }


def test_an_inhibition_may_ask_for_equal_labels() -> None:
    world = two_rules(equal=["http.route"])
    step(world, down="/a/", slow="/a/ /b/")

    told = [m.notices[0] for m in world.channel.sent if m.notices[0].name == "slow"]
    assert [dict(notice.labels)["http.route"] for notice in told] == ["/b/"]


def test_no_alert_inhibits_itself() -> None:
    world = two_rules(source={"http.route": "/a/"}, target={"http.route": "/a/"})
    step(world, slow="/a/")

    assert world.channel.told == ["slow firing warning"]


def test_of_two_alerts_that_inhibit_each_other_one_is_told() -> None:
    world = two_rules()
    back = {"source": {"alertname": "slow"}, "target": {"alertname": "down"}}
    mutual = [*world.inhibitions, Inhibition.model_validate(back)]
    world = world.successor(inhibitions=mutual, batch_size=1)

    step(world, down="/a/", slow="/a/")
    step(world, down="/a/", slow="/a/")
    assert world.channel.told == ["down firing warning"]
    step(world, slow="/a/")
    step(world, slow="/a/", down="/a/")

    # When it is over, the other one is: that fired before it fires again.
    assert sorted(world.channel.told) == [
        "down firing warning",
        "down resolved warning",
        "slow firing warning",
    ]


def test_a_new_evaluator_goes_on_holding_what_is_held() -> None:
    world = two_rules()
    step(world, down="/a/", slow="/a/")
    successor = world.successor(inhibitions=world.inhibitions, batch_size=1)
    for _ in range(10):
        step(successor, down="/a/", slow="/a/")

    assert world.channel.told == ["down firing warning"]


def test_what_is_held_while_the_database_is_away_is_held_in_the_journal(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(*_: object, **__: object) -> NoReturn:
        raise DatabaseError

    world = two_rules()
    with monkeypatch.context() as away:
        away.setattr(history, "stored", fail)
        away.setattr(stored_silences, "stored", fail)
        for _ in range(10):
            step(world, down="/a/", slow="/a/")
        assert world.channel.told == ["down firing warning"]
    step(world, down="/a/", slow="/a/")

    assert world.channel.told == ["down firing warning"]
    held = Delivery.objects.get(alert__name="slow")
    assert held.reason == "inhibited by down, which fires too"
    assert held.next_at > world.clock.now
