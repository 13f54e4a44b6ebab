"""A clock that is set back mutes nobody for ever, and tells nobody twice."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import OperationalError, connection

from alerting.models import Delivery
from alerting.notifications.policy import Limits
from alerting.notifications.routing import Escalation, Routing
from alerting.outbox.outbox import CLAIM_SECONDS
from alerting.rules import load_rule
from tests.alerting.test_resending import ForgetfulChannel
from tests.support.alerting_source import Reading
from tests.support.alerting_world import METRIC, RULE, FakeChannel, World

pytestmark = pytest.mark.django_db(transaction=True)

HOUR, DAY = 3600.0, 86_400.0
COOLDOWN = Limits(cooldown=900.0, per_hour=100)
FIRING, RESOLVED = "high_cpu_usage firing warning", "high_cpu_usage resolved warning"


@pytest.fixture(params=["database", "journal", "restart"])
def world_of(request: pytest.FixtureRequest) -> Iterator[Any]:
    """Return a function that makes a world, and one that sets its clock back."""

    def set_back(world: World) -> World:
        world.clock.advance(-DAY)
        same = {"routing": world.routing}
        return world.successor(**same) if request.param == "restart" else world

    def fail(*_: object) -> None:
        raise OperationalError("connection refused")

    if request.param == "journal":
        with connection.execute_wrapper(fail):
            yield set_back
    else:
        yield set_back


def test_the_cooldown_ends(world_of: Any) -> None:
    world = World(limits=COOLDOWN)
    world.step(0.85)
    world.step(0.5)
    world = world_of(world)

    world.step(0.85)
    assert world.channel.told == [FIRING, RESOLVED]
    world.step(0.85, after=900)
    world.step(0.5)
    world.step(0.85, after=HOUR)

    assert world.channel.told == [FIRING, RESOLVED] * 2 + [FIRING]


def test_what_was_held_is_told_once_at_the_end_of_its_cooldown(world_of: Any) -> None:
    world = World(limits=COOLDOWN)
    for value in (0.85, 0.5, 0.85):
        world.step(value)
    world = world_of(world)

    world.step(0.85)
    assert world.channel.told == [FIRING, RESOLVED]
    for _ in range(10):
        world.step(0.85, after=450)

    assert world.channel.told == [FIRING, RESOLVED, FIRING]


def test_what_goes_on_is_repeated_after_the_interval_and_never_before(
    world_of: Any,
) -> None:
    world = World(routing=Routing(repeat=4 * HOUR))
    world.step(0.85)
    world = world_of(world)

    for _ in range(7):
        world.step(0.85, after=HOUR)

    assert world.channel.told == [FIRING, "high_cpu_usage reminder warning"]


def test_what_nobody_acknowledges_is_told_elsewhere(world_of: Any) -> None:
    later = Escalation.model_validate({"after": "2h", "channels": ["pager"]})
    channels = [FakeChannel("mail"), FakeChannel("pager")]
    world = World(channels=channels, routing=Routing((), (later,)))
    world.step(0.85)
    world = world_of(world)

    for _ in range(4):
        world.step(0.85, after=HOUR)

    assert world.channels[1].told == ["high_cpu_usage reminder warning"]


def by_route(*names: str) -> list[Reading]:
    return [Reading(0.85, labels={"http.route": name}) for name in names]


def test_the_hour_of_the_limit_ends(world_of: Any) -> None:
    rule = load_rule({**RULE, "by": ["http.route"]})
    world = World(rules=[rule], limits=Limits(cooldown=0.0, per_hour=2))
    world.source.answers[METRIC] = by_route("a", "b")
    world.runner.tick(world.clock.now)
    world.deliver()
    world = world_of(world)
    world.runner.tick(world.clock.now)

    world.clock.advance(2 * HOUR)
    world.source.answers[METRIC] = by_route("a", "b", "c")
    world.runner.tick(world.clock.now)
    world.deliver()

    assert [len(message.notices) for message in world.channel.sent] == [2, 1]
    assert not world.channel.sent[-1].is_digest


def test_what_failed_is_tried_again_in_time(world_of: Any) -> None:
    world = World()
    world.channel.fails()
    world.step(0.85)
    world = world_of(world)

    for _ in range(4):
        world.step(0.85, after=30)

    assert world.channel.told == [FIRING]
    assert len(world.channel.tried) == 2


class Killed(BaseException):
    pass


def test_what_a_dead_sender_had_claimed_is_free_in_time() -> None:
    world = World()
    world.evaluate(0.85)
    world.channel.failures = [Killed()]  # type: ignore[list-item]
    with pytest.raises(Killed):
        world.deliver()
    world.clock.advance(-DAY)

    world.step(0.85)
    assert world.channel.sent == []
    world.step(0.85, after=CLAIM_SECONDS)

    assert world.channel.told == [FIRING]


def test_what_is_sent_at_that_moment_is_sent_once() -> None:
    world = World(limits=COOLDOWN)
    world.evaluate(0.85)
    send = world.channel.send

    def slowly(message: Any) -> tuple[str, ...]:
        world.evaluate(0.85, after=-DAY)
        return send(message)

    world.channel.send = slowly  # type: ignore[method-assign]
    world.deliver()
    world.channel.send = send  # type: ignore[method-assign]
    for value in (0.85, 0.5, 0.85):
        world.step(value)
    assert world.channel.told == [FIRING, RESOLVED]
    world.step(0.85, after=900)

    assert world.channel.told == [FIRING, RESOLVED, FIRING]
    assert Delivery.objects.filter(state="due").count() == 0


def test_the_next_evaluation_is_due_within_an_interval_whatever_the_clock_does() -> (
    None
):
    world = World()
    world.source.hook = lambda: world.clock.advance(-DAY)  # type: ignore[assignment]

    assert world.runner.tick(world.clock.now) == world.interval


def test_receivers_that_forget_are_told_in_time() -> None:
    channel = ForgetfulChannel()
    world = World(channels=[channel])
    for after in (15.0, 15.0, -DAY):
        world.step(0.85, after=after)

    assert len(channel.resent) == 2
