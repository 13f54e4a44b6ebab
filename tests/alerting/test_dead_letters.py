"""What people are told when a channel has given up telling them something."""

from __future__ import annotations

import pytest

from alerting import dead_letters
from alerting.notifications.routing import Routing, SendTo
from alerting.rules import load_rule
from tests.support.alerting_world import RULE, FakeChannel, World, alerts
from tests.support.notices import notice

pytestmark = pytest.mark.django_db

HOUR = 3600.0
RULES = [dead_letters.RULE, load_rule(RULE)]


def with_channels(*names: str, **changes: object) -> World:
    channels = [FakeChannel(name) for name in names]
    return World(rules=list(RULES), channels=channels, **changes)  # type: ignore[arg-type]


def told(world: World, name: str) -> list[str]:
    [channel] = [each for each in world.channels if each.name == name]
    return [line for line in channel.told if "undelivered" in line]


def test_the_others_are_told_once_that_a_channel_gave_up() -> None:
    world = with_channels("one", "two", "three")
    world.channel.fails(permanent=True)

    for _ in range(4):
        world.step(0.85)

    firing = ["undelivered_alerts firing error"]
    assert [told(world, each) for each in ("one", "two", "three")] == [
        [],
        firing,
        firing,
    ]
    [text] = {m.notices[0].message for m in world.channels[1].sent[1:]}
    assert text == "Alerts could not be told and were given up: 1 > 0 (channel=one)"


def test_it_is_over_when_an_hour_went_well() -> None:
    world = with_channels("one", "two")
    world.channel.fails(permanent=True)
    world.step(0.85)
    world.step(0.85)

    world.step(0.85, after=HOUR - 60)
    before = alerts()
    world.step(0.85, after=60)

    assert ("undelivered_alerts", "error", "firing") in before
    assert told(world, "two")[-1] == "undelivered_alerts resolved error"
    assert told(world, "one") == []


def test_it_outlives_the_evaluator() -> None:
    world = with_channels("one", "two")
    world.channel.fails(permanent=True)
    world.step(0.85)

    successor = world.successor()
    successor.step(0.85)
    successor.step(0.85)

    assert told(world, "two") == ["undelivered_alerts firing error"]


def test_two_channels_that_give_up_end_in_no_loop() -> None:
    world = with_channels("one", "two")
    for channel in world.channels:
        channel.fails(times=100, permanent=True)

    for _ in range(10):
        world.step(0.85)

    # The alert itself, and that the other channel has given up.
    assert [len(channel.tried) for channel in world.channels] == [2, 2]


def test_a_route_cannot_keep_it_on_the_channel_that_fails() -> None:
    every = [{"name": "alertname", "operator": "~", "value": "*"}]
    only_one = SendTo.model_validate({"matchers": every, "channels": ["one"]})
    world = with_channels("one", "two", routing=Routing((only_one,)))
    world.channel.fails(permanent=True)

    for _ in range(2):
        world.step(0.85)

    assert told(world, "two") == ["undelivered_alerts firing error"]


def test_any_other_alert_concerns_no_channel() -> None:
    labels = (("channel", "one"),)

    assert dead_letters.failing_channel(notice(labels=labels)) == ""
    mine = notice(name=dead_letters.RULE.name, labels=labels)
    assert dead_letters.failing_channel(mine) == "one"


def test_what_stands_behind_it_is_not_asked_of_the_source() -> None:
    world = with_channels("one", "two")
    world.source.behind = {"traces": ["a" * 32]}
    world.channel.fails(permanent=True)

    for _ in range(2):
        world.step(0.85)

    assert world.channels[1].sent[-1].notices[0].evidence.keys() == {"also_firing"}
