"""Routes, repetitions and escalations, from the evaluation to what is sent."""

from __future__ import annotations

from typing import Any, NoReturn

import pytest
from django.db import DatabaseError
from pydantic import ValidationError

from alerting import acknowledgement
from alerting.acknowledgement import acknowledge
from alerting.conf import current, problems
from alerting.models import Alert, Delivery
from alerting.notifications.policy import Limits
from alerting.notifications.routing import Escalation, Routing, SendTo
from alerting.rules import load_rule
from tests.support.alerting_world import RULE, FakeChannel, World

pytestmark = pytest.mark.django_db

HOUR = 3600.0
MAIL, PAGER = "mail", "pager"


def route(matchers: dict[str, str], *channels: str) -> SendTo:
    return SendTo.model_validate({"matchers": matchers, "channels": channels})


def escalation(after: str, *channels: str, **fields: Any) -> Escalation:
    return Escalation.model_validate({"after": after, "channels": channels, **fields})


def world(**parts: Any) -> World:
    return World(channels=[FakeChannel(MAIL), FakeChannel(PAGER)], **parts)


def told(of: World) -> dict[str, list[str]]:
    """Return the kinds that each channel was told."""
    return {
        channel.name: [n.kind.value for m in channel.sent for n in m.notices]
        for channel in of.channels
    }


def test_without_routes_everybody_is_told() -> None:
    plain = world()
    plain.step(0.85)

    assert told(plain) == {MAIL: ["firing"], PAGER: ["firing"]}


def test_the_first_route_that_matches_says_where_an_alert_is_told() -> None:
    routes = (
        route({"severity": "critical"}, PAGER),
        route({"alertname": "high_cpu_usage"}, MAIL),
    )
    routed = world(routing=Routing(routes))
    routed.step(0.85)
    assert told(routed) == {MAIL: ["firing"], PAGER: []}
    routed.step(0.95)

    assert told(routed) == {MAIL: ["firing"], PAGER: ["escalated"]}


def test_whoever_was_told_hears_of_the_end_whatever_the_route_is_by_then() -> None:
    routed = world(routing=Routing((route({"severity": "critical"}, PAGER),)))
    routed.step(0.85)
    routed.step(0.95)
    routed.step(0.5)

    assert told(routed) == {
        MAIL: ["firing", "resolved"],
        PAGER: ["firing", "escalated", "resolved"],
    }


def test_what_gets_better_before_the_pager_rang_goes_by_the_route_of_what_it_is() -> (
    None
):
    routes = (route({"severity": "critical"}, PAGER), route({"a": ""}, MAIL))
    routed = world(routing=Routing(routes), limits=Limits(cooldown=900.0, per_hour=10))
    for value in (0.95, 0.5, 0.95, 0.85):
        routed.step(value)
    routed.deliver(after=900)

    assert told(routed) == {
        MAIL: ["de-escalated"],
        PAGER: ["firing", "resolved"],
    }


def test_a_route_may_go_by_the_labels_of_a_rule() -> None:
    rule = load_rule({**RULE, "labels": {"team": "payments"}})
    routed = world(rules=[rule], routing=Routing((route({"team": "payments"}, PAGER),)))
    routed.step(0.85)

    assert told(routed) == {MAIL: [], PAGER: ["firing"]}


def test_what_goes_on_is_told_again_after_the_interval_and_never_before() -> None:
    repeated = world(routing=Routing(repeat=4 * HOUR))
    repeated.step(0.85)
    for _ in range(3):
        repeated.step(0.86, after=2 * HOUR - 15)
        repeated.step(0.86)

    assert told(repeated)[MAIL] == ["firing", "reminder"]
    reminder = repeated.channel.sent[-1].notices[0]
    assert reminder.value == 0.86
    assert (
        list(Delivery.objects.filter(kind="reminder").values_list("reason", flat=True))
        == ["repeated every 4h"] * 2
    )


def test_what_was_given_up_is_not_repeated() -> None:
    repeated = world(routing=Routing(repeat=HOUR))
    repeated.channels[1].fails(permanent=True)
    repeated.step(0.85)
    repeated.step(0.85, after=HOUR)

    assert told(repeated) == {MAIL: ["firing", "reminder"], PAGER: []}


def test_what_is_over_after_a_reminder_is_resolved_once() -> None:
    repeated = world(routing=Routing(repeat=HOUR))
    repeated.step(0.85)
    repeated.step(0.85, after=HOUR)
    repeated.step(0.5)

    assert told(repeated)[MAIL] == ["firing", "reminder", "resolved"]
    assert Alert.objects.get().state == "resolved"


def test_what_somebody_has_acknowledged_is_not_told_again() -> None:
    repeated = world(routing=Routing((), (escalation("30m", PAGER),), repeat=HOUR))
    repeated.step(0.85)
    acknowledge(Alert.objects.get().pk, user="ann", note="", now=repeated.clock.now)
    for _ in range(3):
        repeated.step(0.85, after=HOUR)

    assert told(repeated) == {MAIL: ["firing"], PAGER: []}


def test_without_the_database_it_is_told_again(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> NoReturn:
        raise DatabaseError

    monkeypatch.setattr(acknowledgement, "stored", fail)

    assert acknowledgement.acknowledged({"x"}) == set()


def test_what_nobody_acknowledges_is_told_on_another_channel_too() -> None:
    escalated = world(routing=Routing((), (escalation("30m", PAGER),)))
    escalated.step(0.85)
    assert told(escalated) == {MAIL: ["firing"], PAGER: []}
    escalated.step(0.85, after=30 * 60 - 30)
    assert told(escalated)[PAGER] == []
    for _ in range(3):
        escalated.step(0.85)
    escalated.step(0.5)

    assert told(escalated) == {
        MAIL: ["firing", "resolved"],
        PAGER: ["reminder", "resolved"],
    }
    [reason] = Delivery.objects.filter(kind="reminder").values_list("reason", flat=True)
    assert reason == "nobody has acknowledged it for 30m"


def test_only_what_matches_is_escalated() -> None:
    only = escalation("1m", PAGER, matchers={"severity": "critical"})
    escalated = world(routing=Routing((), (only,)))
    for _ in range(10):
        escalated.step(0.85)
    assert told(escalated)[PAGER] == []
    for _ in range(10):
        escalated.step(0.95)

    assert told(escalated)[PAGER] == ["reminder"]


def test_an_escalation_to_a_channel_that_is_not_there_is_nothing() -> None:
    escalated = world(routing=Routing((), (escalation("1m", "gone"),)))
    for _ in range(10):
        escalated.step(0.85)

    assert told(escalated) == {MAIL: ["firing"], PAGER: ["firing"]}


def test_a_reminder_that_waits_is_not_doubled() -> None:
    repeated = world(routing=Routing(repeat=HOUR))
    repeated.step(0.85)
    repeated.evaluate(0.85, after=HOUR)
    repeated.evaluate(0.85, after=HOUR)
    repeated.deliver()

    assert told(repeated)[MAIL] == ["firing", "reminder"]


def test_a_successor_reminds_on_time() -> None:
    first = world(routing=Routing(repeat=HOUR))
    first.step(0.85)
    second = first.successor(routing=first.routing)
    second.step(0.85, after=HOUR / 2)
    assert told(first)[MAIL] == ["firing"]
    second.step(0.85, after=HOUR / 2)

    assert told(first)[MAIL] == ["firing", "reminder"]


def test_the_settings_say_where_and_how_often(settings: Any) -> None:
    settings.ALERTING_SETTINGS = {
        "ROUTES": [{"matchers": {"team": "payments"}, "channels": ["email"]}],
        "ESCALATIONS": [{"after": "30m", "channels": ["log"]}],
        "REPEAT_INTERVAL_HOURS": 4,
        "INHIBITIONS": [
            {"source": {"a": "1"}, "target": {"a": "2"}, "equal": ["host.name"]}
        ],
    }

    assert problems() == ()
    assert current().routes == (route({"team": "payments"}, "email"),)
    assert current().escalations[0].after == 1800


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("ROUTES", [{"matchers": {}, "channels": ["email"]}]),
        ("ESCALATIONS", [{"after": "soon", "channels": ["log"]}]),
        ("ESCALATIONS", [{"after": 0, "channels": ["log"]}]),
        ("INHIBITIONS", ["critical"]),
        ("REPEAT_INTERVAL_HOURS", -1),
    ],
)
def test_a_mistake_in_the_settings_is_named(
    settings: Any, key: str, value: object
) -> None:
    settings.ALERTING_SETTINGS = {key: value}

    [problem] = problems()

    assert problem.key == key
    assert problem.hint.startswith("Write a ")


def test_an_escalation_without_channels_is_none() -> None:
    with pytest.raises(ValidationError):
        Escalation.model_validate({"after": "1m", "channels": []})
