"""What is said again and again to receivers that forget."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest
from django.db import OperationalError

from alerting.notice import Notice
from alerting.outbox import DatabaseBox
from alerting.resending import RETRY
from alerting.stored_silences import create, timed
from tests.support.alerting_world import FakeChannel, World

pytestmark = pytest.mark.django_db


@dataclass
class ForgetfulChannel(FakeChannel):
    """A channel that wants to hear every minute what fires."""

    name: str = "forgetful"
    resend_every: float = 60.0
    resent: list[list[str]] = field(default_factory=list)
    errors: list[Exception] = field(default_factory=list)

    def resend(self, notices: Sequence[Notice]) -> None:
        self.resent.append([f"{n.name} {n.kind} {n.severity}" for n in notices])
        if self.errors:
            raise self.errors.pop(0)


@pytest.fixture
def channel() -> ForgetfulChannel:
    return ForgetfulChannel()


@pytest.fixture
def world(channel: ForgetfulChannel) -> World:
    return World(channels=[FakeChannel(), channel])


WARNING, CRITICAL = (
    ["high_cpu_usage firing warning"],
    ["high_cpu_usage escalated critical"],
)


def test_what_fires_is_said_again_every_so_often(
    world: World, channel: ForgetfulChannel
) -> None:
    world.step(0.85)
    for _ in range(12):
        world.step(0.85)

    assert channel.resent == [WARNING] * 3
    assert len(channel.sent) == 1


def test_what_got_worse_is_said_as_it_was_told_last(
    world: World, channel: ForgetfulChannel
) -> None:
    for value in (0.85, 0.95, 0.95):
        world.step(value, after=60)

    assert channel.resent == [WARNING, CRITICAL]


def test_what_got_better_is_told_and_said_as_what_it_is(
    world: World, channel: ForgetfulChannel
) -> None:
    for value in (0.85, 0.95, 0.85, 0.85, 0.95):
        world.step(value, after=60)

    kinds = ["firing", "escalated", "de-escalated", "escalated"]
    assert [m.notices[0].kind.value for m in channel.sent] == kinds
    assert channel.resent[-2:] == [["high_cpu_usage de-escalated warning"]] * 2
    # Who keeps nothing is told what is worse, and no more.
    assert len(world.channel.sent) == 3


def test_what_got_better_in_a_silence_is_left_to_be_forgotten(
    world: World, channel: ForgetfulChannel
) -> None:
    world.step(0.95)
    now = world.clock.now
    silence = timed(
        {"alertname": "high_cpu_usage"}, hours=1, comment="moving house", now=now
    )
    create(silence, author="ann", now=now)

    world.step(0.95, after=60)
    as_bad, channel.resent = channel.resent, []
    world.step(0.85, after=60)
    world.deliver(after=60)

    assert as_bad == [["high_cpu_usage firing critical"]]
    assert channel.resent == []


def test_what_is_over_is_not_said_again(
    world: World, channel: ForgetfulChannel
) -> None:
    world.step(0.85)
    world.step(0.5)

    world.deliver(after=600)

    assert channel.resent == []


def test_what_was_not_told_there_is_not_said(
    world: World, channel: ForgetfulChannel
) -> None:
    channel.reason = "no address"
    world.step(0.85)
    channel.reason = ""

    world.step(0.85, after=600)

    assert channel.resent == []


def test_a_successor_says_it_at_once(world: World, channel: ForgetfulChannel) -> None:
    world.step(0.85)

    world.successor().step(0.85, after=15)

    assert channel.resent == [WARNING]


def test_a_failure_is_tried_again_soon_and_shows_in_the_channels_health(
    world: World, channel: ForgetfulChannel
) -> None:
    world.step(0.85)
    channel.errors = [ConnectionError("away")]

    world.deliver(after=60)
    failing = world.sender.health()["forgetful"]
    world.deliver(after=RETRY)
    sound = world.sender.health()["forgetful"]

    assert channel.resent == [WARNING] * 2
    assert (failing.health, failing.last_error) == ("error", "ConnectionError: away")
    assert (sound.health, sound.last_error) == ("ok", "")


def test_it_is_said_also_while_the_database_is_away(
    world: World, channel: ForgetfulChannel, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.step(0.85)
    world.step(0.85, after=60)

    def away(self: object, keys: object) -> None:
        raise OperationalError

    monkeypatch.setattr(DatabaseBox, "notices", away)
    world.deliver(after=60)
    successor = world.successor()
    successor.step(0.85)

    # One that never read it cannot say it.
    assert channel.resent == [WARNING] * 2


def test_nothing_is_read_twice(
    world: World, channel: ForgetfulChannel, django_assert_num_queries: object
) -> None:
    world.step(0.85)
    world.deliver(after=60)

    with django_assert_num_queries(0):  # type: ignore[operator]
        world.deliver(after=60)

    assert len(channel.resent) == 2
