"""What people are told, from measurement to message."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from alerting import history
from alerting.alert import State
from alerting.explanation import explain_rule
from alerting.ledger import DAY, SNAPSHOT
from alerting.models import Alert, AlertTransition, Delivery
from alerting.notifications.policy import DIGEST_WAIT, Limits
from alerting.outbox.outbox import CLAIM_SECONDS
from alerting.report import STATUS
from alerting.rules import load_rule
from alerting.runner import IDLE, MESSAGES_PER_STEP
from alerting.sender import MARGIN
from alerting.status import Status
from tests.support.alerting_source import Reading
from tests.support.alerting_world import (
    METRIC,
    RULE,
    FakeChannel,
    World,
    alerts,
    deliveries,
)

pytestmark = pytest.mark.django_db


def routes(world: World, **values: float) -> None:
    world.source.answers[METRIC] = [
        Reading(value, labels={"http.route": route}) for route, value in values.items()
    ]


def by_route(**changes: object) -> World:
    rule = load_rule({**RULE, "by": ["http.route"]})
    return World(rules=[rule], **changes)  # type: ignore[arg-type]


# --- the plain path ---------------------------------------------------------------------


def test_an_alert_is_told_recorded_and_resolved() -> None:
    world = World()

    for value in (0.5, 0.85, 0.85, 0.5):
        world.step(value)

    assert world.channel.told == [
        "high_cpu_usage firing warning",
        "high_cpu_usage resolved warning",
    ]
    assert alerts() == [("high_cpu_usage", "warning", "resolved")]
    assert deliveries() == [("firing", "sent", ""), ("resolved", "sent", "")]


def test_an_escalation_is_told_once_and_is_the_same_alert() -> None:
    world = World()

    for value in (0.85, 0.95, 0.95, 0.85, 0.5):
        world.step(value)

    assert world.channel.told == [
        "high_cpu_usage firing warning",
        "high_cpu_usage escalated critical",
        "high_cpu_usage resolved warning",
    ]
    assert alerts() == [("high_cpu_usage", "critical", "resolved")]
    assert list(AlertTransition.objects.values_list("kind", flat=True)) == [
        "firing",
        "escalated",
        "de-escalated",
        "resolved",
    ]


def test_nothing_is_written_while_nothing_happens() -> None:
    world = World()
    world.step(0.5)

    with CaptureQueriesContext(connection) as queries:
        world.step(0.5)

    # Whether other systems have posted anything.
    [asked] = queries.captured_queries
    assert asked["sql"].startswith("SELECT")
    assert "externalalert" in asked["sql"]


def test_the_message_has_its_evidence() -> None:
    world = World()
    world.source.behind = {"traces": ["a" * 32]}

    world.step(0.85)

    [message] = world.channel.sent
    assert message.notices[0].evidence == {
        "traces": ["a" * 32],
        "asked": [METRIC, {}],
    }
    assert Alert.objects.get().evidence["traces"] == ["a" * 32]


def test_the_message_says_what_else_fires_from_the_same_evaluation_on() -> None:
    world = World(rules=[load_rule(RULE), load_rule({**RULE, "name": "other"})])

    world.step(0.95)

    told = {
        n.name: n.evidence["also_firing"] for m in world.channel.sent for n in m.notices
    }
    assert {name: [each["name"] for each in also] for name, also in told.items()} == {
        "high_cpu_usage": ["other"],
        "other": ["high_cpu_usage"],
    }


def test_the_next_evaluation_is_due_an_interval_after_this_one_began() -> None:
    world = World()

    def slow() -> None:
        world.clock.advance(4.0)

    world.source.hook = slow

    assert world.runner.tick(world.clock.now) == 11.0


def test_a_clock_set_back_during_an_evaluation_does_not_put_off_the_next_one() -> None:
    world = World()

    def set_back() -> None:
        world.clock.advance(-3600.0)

    world.source.hook = set_back

    assert world.runner.tick(world.clock.now) == world.interval
    status = world.runner.status()
    assert status is not None
    assert status.evaluator is not None
    assert status.evaluator.evaluation_seconds == 0


def test_the_sender_is_woken_when_there_is_something_to_send() -> None:
    world = World()
    rung = []
    world.runner.wake = lambda: rung.append(True)

    world.evaluate(0.5)
    world.evaluate(0.85)

    assert rung == [True]


def test_alerts_of_one_evaluation_share_messages_of_the_batch_size() -> None:
    world = by_route(batch_size=2)

    routes(world, a=0.85, b=0.95, c=0.85)
    world.runner.tick(world.clock.now)
    world.deliver()

    assert [len(message.notices) for message in world.channel.sent] == [2, 1]


def test_alerts_that_come_within_the_group_wait_share_messages() -> None:
    limits = Limits(cooldown=0.0, per_hour=100, group_wait=30.0)
    world = by_route(batch_size=2, limits=limits)
    for seen in ({"a": 0.85}, {"a": 0.85, "b": 0.85}, {"a": 0.95, "b": 0.5, "c": 0.85}):
        routes(world, **seen)
        world.runner.tick(world.clock.now)
        world.deliver()
        world.clock.advance(14)
    assert world.channel.sent == []
    world.deliver(after=2)

    [message] = world.channel.sent
    assert [(n.kind.value, dict(n.labels)["http.route"]) for n in message.notices] == [
        ("escalated", "a"),
        ("firing", "c"),
    ]


def test_the_sender_takes_a_breath_now_and_then() -> None:
    world = by_route(batch_size=1)
    routes(world, **{f"r{n}": 0.85 for n in range(MESSAGES_PER_STEP + 1)})
    world.runner.tick(world.clock.now)

    assert world.runner.deliver() == 0.0
    assert len(world.channel.sent) == MESSAGES_PER_STEP
    assert world.runner.deliver() == IDLE


def test_alarms_and_resolutions_never_share_a_message() -> None:
    world = by_route()
    routes(world, a=0.85, b=0.1)
    world.runner.tick(world.clock.now)
    world.deliver()

    routes(world, a=0.1, b=0.85)
    world.runner.tick(world.clock.advance(15))
    world.deliver()

    assert [message.is_resolution for message in world.channel.sent] == [
        False,
        True,
        False,
    ]


def test_a_rule_that_is_removed_resolves_its_alerts_with_that_reason() -> None:
    world = World()
    world.step(0.85)

    world.rules.clear()
    world.step(0.85)

    assert Alert.objects.get().reason == "the rule was removed"
    assert world.channel.told[-1] == "high_cpu_usage resolved warning"


# --- cooldown ---------------------------------------------------------------------------

COOLDOWN = Limits(cooldown=900.0, per_hour=100)


def test_an_alert_that_comes_back_within_the_cooldown_is_held_until_its_end() -> None:
    world = World(limits=COOLDOWN)
    for value in (0.85, 0.5, 0.85):
        world.step(value)
    assert len(world.channel.sent) == 2
    assert "the cooldown of 15m lasts until" in deliveries()[-1][2]

    world.deliver(after=900)

    assert world.channel.told[2:] == ["high_cpu_usage firing warning"]


def test_an_alert_that_is_over_before_the_cooldown_is_not_told_at_all() -> None:
    world = World(limits=COOLDOWN)

    for value in (0.85, 0.5, 0.85, 0.5):
        world.step(value)
    world.deliver(after=3600)

    assert len(world.channel.sent) == 2
    assert deliveries()[2:] == [
        ("firing", "skipped", "resolved before it was due"),
        (
            "resolved",
            "skipped",
            f"nobody was told that it fired ({held(world)})",
        ),
    ]


def held(world: World) -> str:
    return Delivery.objects.order_by("id")[3].reason.partition("(")[2].rstrip(")")


def test_an_alert_that_got_worse_is_told_within_the_cooldown() -> None:
    world = World(limits=COOLDOWN)

    for value in (0.85, 0.5, 0.95):
        world.step(value)

    assert world.channel.told[-1] == "high_cpu_usage firing critical"


def test_getting_worse_overtakes_what_was_held() -> None:
    world = World(limits=COOLDOWN)

    for value in (0.85, 0.5, 0.85, 0.95):
        world.step(value)
    world.deliver(after=3600)

    assert world.channel.told[2:] == ["high_cpu_usage escalated critical"]
    assert ("firing", "skipped", "critical since then") in deliveries()


def test_what_has_got_better_before_it_was_due_is_not_told() -> None:
    world = World(limits=COOLDOWN)

    for value in (0.95, 0.85, 0.95, 0.85):
        world.step(value)
    world.deliver(after=3600)

    assert world.channel.told == ["high_cpu_usage firing critical"]
    assert ("escalated", "skipped", "only warning before it was due") in deliveries()


def test_what_has_got_better_before_anybody_knew_of_it_is_told_as_what_it_is() -> None:
    world = World(limits=COOLDOWN)

    for value in (0.95, 0.5, 0.95, 0.85):
        world.step(value)
    assert len(world.channel.sent) == 2
    world.deliver(after=900)
    world.step(0.5)

    assert world.channel.told[2:] == [
        "high_cpu_usage de-escalated warning",
        "high_cpu_usage resolved warning",
    ]


def test_a_warning_overtaken_by_what_was_never_told_is_told_after_all() -> None:
    world = World(limits=Limits(cooldown=0.0, per_hour=1))

    for value in (0.95, 0.5, 0.85, 0.95, 0.85):
        world.step(value)
    world.deliver(after=3600)

    assert world.channel.told[2:] == ["high_cpu_usage de-escalated warning"]


def test_a_rule_may_have_a_cooldown_of_its_own() -> None:
    world = World(rules=[load_rule({**RULE, "cooldown": 0})], limits=COOLDOWN)

    for value in (0.85, 0.5, 0.85):
        world.step(value)

    assert len(world.channel.sent) == 3


def slow_to_repeat(cooldown: str) -> World:
    return World(rules=[load_rule({**RULE, "cooldown": cooldown})], limits=COOLDOWN)


def quiet(world: World, *, hours: int) -> None:
    for _ in range(2 * hours):
        world.step(0.5, after=1800)


def test_a_cooldown_of_a_rule_may_be_longer_than_an_hour() -> None:
    world = slow_to_repeat("24h")
    world.step(0.85)
    quiet(world, hours=2)

    world.step(0.85)

    assert len(world.channel.sent) == 2
    assert "the cooldown of 1d lasts until" in deliveries()[-1][2]


def test_a_successor_keeps_to_the_cooldown_of_a_rule() -> None:
    world = slow_to_repeat("24h")
    world.step(0.85)
    quiet(world, hours=2)

    world.successor().step(0.85)

    assert "the cooldown of 1d lasts until" in deliveries()[-1][2]


def test_after_a_long_cooldown_the_alert_is_told_again() -> None:
    world = slow_to_repeat("2h")
    world.step(0.85)
    quiet(world, hours=2)

    world.step(0.85)

    assert len(world.channel.sent) == 3


def held_for_two_hours() -> World:
    """Return a world in which an alarm was held back, told at last, and resolved."""
    world = slow_to_repeat("2h")
    for value in (0.85, 0.5, 0.85):
        world.step(value)
    for _ in range(4):
        world.step(0.85, after=1800)
    assert world.channel.told[2:] == ["high_cpu_usage firing warning"]
    quiet(world, hours=1)
    return world


def test_the_next_cooldown_begins_when_what_was_held_is_told() -> None:
    world = held_for_two_hours()

    world.step(0.85)

    assert "the cooldown of 2h lasts until" in deliveries()[-1][2]


def test_a_successor_knows_when_what_was_held_was_told() -> None:
    world = held_for_two_hours()

    world.successor().step(0.85)

    assert "the cooldown of 2h lasts until" in deliveries()[-1][2]


def test_the_longest_cooldown_is_no_obstacle() -> None:
    world = slow_to_repeat("365d")

    world.step(0.85)

    assert world.channel.told == ["high_cpu_usage firing warning"]


def test_of_what_is_over_only_so_much_is_remembered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(history, "TELLINGS_LIMIT", 3)
    world = slow_to_repeat("0s")

    for value in (0.85, 0.5) * 3:
        world.step(value)
    world.evaluate(0.85)

    remembered = [(t.kind.value, t.state.value) for t in world.ledger.tellings()]
    assert remembered == [
        ("resolved", "sent"),
        ("firing", "sent"),
        ("resolved", "sent"),
        ("firing", "due"),
    ]


# --- flapping ---------------------------------------------------------------------------

FLAPPING = Limits(cooldown=0.0, per_hour=100, flaps=3)


def test_an_alert_that_comes_and_goes_is_told_three_times_and_then_if_it_stays() -> (
    None
):
    world = World(limits=FLAPPING)
    for value in (0.85, 0.5) * 5:
        world.step(value)
    assert len(world.channel.sent) == 6

    world.step(0.85)
    world.deliver(after=3600)

    assert world.channel.told[6:] == ["high_cpu_usage firing warning"]


# --- the hourly limit -------------------------------------------------------------------

LIMITED = Limits(cooldown=0.0, per_hour=2)


def test_what_is_beyond_the_hourly_limit_is_collapsed_into_a_digest() -> None:
    world = by_route(limits=LIMITED, batch_size=1)
    routes(world, a=0.85, b=0.85, c=0.85, d=0.95, e=0.85)
    world.runner.tick(world.clock.now)
    world.deliver()
    assert len(world.channel.sent) == 2

    world.deliver(after=DIGEST_WAIT)

    [digest] = world.channel.sent[2:]
    assert digest.is_digest
    assert [notice.severity for notice in digest.shown] == ["critical"] + [
        "warning"
    ] * 2
    assert deliveries()[-1][2].startswith(
        "more than 2 alerts of this rule in an hour: in the digest of 20"
    )


def test_what_a_digest_told_is_resolved_by_a_digest() -> None:
    world = by_route(limits=LIMITED, batch_size=1)
    routes(world, a=0.85, b=0.85, c=0.85, d=0.85)
    world.runner.tick(world.clock.now)
    world.deliver()
    world.deliver(after=DIGEST_WAIT)

    routes(world, a=0.1, b=0.1, c=0.1, d=0.1)
    world.runner.tick(world.clock.advance(15))
    world.deliver()
    assert [len(message.notices) for message in world.channel.sent] == [1, 1, 2, 1, 1]

    world.deliver(after=DIGEST_WAIT)
    assert world.channel.sent[-1].is_digest
    assert world.channel.sent[-1].is_resolution


def test_what_is_over_before_the_digest_is_not_in_it() -> None:
    world = by_route(limits=LIMITED)
    routes(world, a=0.85, b=0.85, c=0.85, d=0.85)
    world.runner.tick(world.clock.now)
    routes(world, a=0.85, b=0.85, c=0.1, d=0.85)
    world.runner.tick(world.clock.advance(15))

    world.deliver(after=DIGEST_WAIT)

    assert [n.labels[0][1] for n in world.channel.sent[-1].notices] == ["d"]


def test_there_is_one_digest_of_a_rule_in_an_hour() -> None:
    world = by_route(limits=LIMITED)
    routes(world, a=0.85, b=0.85, c=0.85)
    world.runner.tick(world.clock.now)
    world.deliver(after=DIGEST_WAIT)
    routes(world, a=0.85, b=0.85, c=0.85, d=0.85)
    world.runner.tick(world.clock.advance(15))

    world.deliver(after=DIGEST_WAIT)
    assert len(world.channel.sent) == 2

    world.deliver(after=3600 - DIGEST_WAIT)
    assert [n.labels[0][1] for n in world.channel.sent[-1].notices] == ["d"]


def test_the_limit_counts_each_rule_and_hour_for_itself() -> None:
    other = load_rule({**RULE, "name": "other"})
    world = World(rules=[load_rule(RULE), other], limits=Limits(0.0, 1))

    world.step(0.85)
    world.step(0.5)
    world.step(0.85, after=3600)

    assert not any(message.is_digest for message in world.channel.sent)


# --- channels ---------------------------------------------------------------------------


def test_a_channel_nobody_can_be_told_on_is_skipped_with_the_reason() -> None:
    world = World(channels=[FakeChannel(reason="ADMINS is empty", people=())])

    world.step(0.85)
    world.step(0.5)

    assert deliveries() == [
        ("firing", "skipped", "ADMINS is empty"),
        ("resolved", "skipped", "nobody was told that it fired (ADMINS is empty)"),
    ]
    [status] = status_of(world).channels
    assert (status.health, status.last_error) == ("skipped", "ADMINS is empty")


class BrokenChannel(FakeChannel):
    def unavailable(self) -> str:
        raise LookupError("token=secret")


def test_a_channel_that_cannot_say_whether_it_works_silences_no_other() -> None:
    world = World(channels=[BrokenChannel("broken"), FakeChannel("sound")])

    world.step(0.85)

    assert [len(channel.sent) for channel in world.channels] == [0, 1]
    assert deliveries() == [
        ("firing", "skipped", "unavailable() raised LookupError"),
        ("firing", "sent", ""),
    ]
    broken, sound = status_of(world).channels
    assert (broken.health, broken.last_error) == (
        "skipped",
        "unavailable() raised LookupError",
    )
    assert sound.health == "ok"


def test_what_waits_for_a_channel_that_broke_since_says_so_without_its_secrets() -> (
    None
):
    world = World()
    world.evaluate(0.85)

    successor = world.successor(channels=[BrokenChannel(people=())])
    successor.step(0.85)

    assert Delivery.objects.get().last_error == "unavailable() raised LookupError"


def test_a_resolution_goes_to_those_who_were_told_and_to_nobody_else() -> None:
    world = World()
    world.step(0.85)
    world.channel.people = ("carol@example.org",)

    world.step(0.5)

    assert world.channel.sent[-1].recipients == ("alice@example.org", "bob@example.org")


def test_channels_fail_each_for_itself() -> None:
    world = World(channels=[FakeChannel("one"), FakeChannel("two")])
    world.channels[0].fails()

    world.step(0.85)

    assert [len(channel.sent) for channel in world.channels] == [0, 1]
    one, two = status_of(world).channels
    assert (one.health, one.last_error, two.health) == ("error", "refused", "ok")


def test_what_failed_is_tried_again_as_the_same_message() -> None:
    world = World()
    world.channel.fails(times=2)
    world.step(0.85)

    for _ in range(3):
        world.deliver(after=60)

    first, second, third = world.channel.tried
    assert first.key == second.key == third.key
    assert deliveries() == [("firing", "sent", "")]
    assert Delivery.objects.get().attempts == 3


def test_what_is_refused_for_good_is_given_up() -> None:
    world = World()
    world.channel.fails(permanent=True)

    world.step(0.85)
    world.deliver(after=3600)

    delivery = Delivery.objects.get()
    assert (delivery.state, delivery.last_error) == ("dead", "refused")
    assert len(world.channel.tried) == 1
    assert status_of(world).channels[0].dead == 1


def test_what_fails_is_tried_for_a_day_and_then_given_up() -> None:
    world = World()
    world.channel.fails(times=200)
    world.step(0.85)

    for _ in range(95):
        world.step(0.85, after=900)
    assert (Delivery.objects.get().state, len(world.channel.tried)) == ("due", 96)
    for _ in range(2):
        world.step(0.85, after=900)

    delivery = Delivery.objects.get()
    assert (delivery.state, delivery.last_error) == ("dead", "refused")


def test_after_a_night_without_a_mail_server_everything_is_told() -> None:
    world = World()
    world.channel.fails(times=48)
    world.step(0.85)

    for _ in range(48):
        world.successor().step(0.85, after=900)

    assert world.channel.told == ["high_cpu_usage firing warning"]


def test_what_was_held_for_days_is_tried_for_a_day_too() -> None:
    world = World(limits=Limits(cooldown=3 * DAY, per_hour=100))
    for value in (0.85, 0.5, 0.85):
        world.step(value)
    world.channel.fails()

    world.step(0.85, after=3 * DAY)
    explained = explain_rule(RULE["name"], Status()).alerts[0].steps[-1].deliveries[0]
    world.step(0.85, after=60)

    assert (explained.state, explained.settled_at) == ("due", None)
    assert len(world.channel.sent) == 3


def test_a_resolution_waits_for_the_alarm_that_could_not_yet_be_told() -> None:
    world = World()
    world.channel.fails(times=2)
    world.step(0.85)
    world.step(0.5)
    assert world.channel.sent == []

    world.deliver(after=3600)
    world.deliver(after=3600)

    assert world.channel.told == [
        "high_cpu_usage firing warning",
        "high_cpu_usage resolved warning",
    ]


def test_nobody_is_told_the_end_of_what_could_never_be_told() -> None:
    world = World()
    world.channel.failures = [OSError("hung up")]
    world.step(0.85)
    world.evaluate(0.5)
    world.channel.fails(permanent=True)

    world.deliver(after=3600)

    assert world.channel.sent == []
    assert deliveries() == [
        ("firing", "dead", ""),
        ("resolved", "skipped", "nobody was told that it fired"),
    ]


def test_what_a_channel_left_to_do_is_given_up_when_it_is_no_longer_configured() -> (
    None
):
    world = World()
    world.evaluate(0.85)

    successor = world.successor(channels=[FakeChannel("other")])
    successor.step(0.85)

    assert Delivery.objects.get(channel="fake").last_error == (
        "the channel is no longer configured"
    )


def test_without_recipients_at_the_moment_it_is_tried_again() -> None:
    world = World()
    world.evaluate(0.85)
    world.channel.people = ()
    world.deliver()
    world.channel.people = ("alice@example.org",)

    world.deliver(after=60)

    assert world.channel.sent[0].recipients == ("alice@example.org",)


# --- successors -------------------------------------------------------------------------


def test_what_was_committed_but_not_sent_is_sent_by_the_successor() -> None:
    world = World()
    world.evaluate(0.85)

    successor = world.successor()
    successor.step(0.85)
    world.deliver()

    assert world.channel.told == ["high_cpu_usage firing warning"]


class Killed(BaseException):
    """The process is gone in the middle of it."""


def test_killed_after_the_receiver_accepted_there_is_one_repeat_of_the_same_message(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = World()

    def die(*_: object) -> None:
        raise Killed

    monkeypatch.setattr(world.outbox, "settle", die)
    with pytest.raises(Killed):
        world.step(0.85)

    successor = world.successor()
    successor.step(0.85)
    assert len(world.channel.sent) == 1  # it may still be on its way

    successor.step(0.85, after=CLAIM_SECONDS)
    successor.step(0.85, after=CLAIM_SECONDS)

    first, second = world.channel.sent
    assert first.key == second.key
    assert deliveries() == [("firing", "sent", "")]


def test_two_evaluators_at_once_tell_once() -> None:
    first = World()
    second = first.successor()
    for world in (first, second):
        world.evaluate(0.5, after=0)

    first.evaluate(0.85)
    second.evaluate(0.85, after=1)
    for world in (first, second):
        world.deliver()

    assert first.channel.told == ["high_cpu_usage firing warning"]
    assert alerts() == [("high_cpu_usage", "warning", "firing")]


class Hasty:
    """A box from which somebody else takes everything right after it was looked into."""

    def __init__(self, box: Any) -> None:
        self.box = box

    def __getattr__(self, name: str) -> Any:
        return getattr(self.box, name)

    def take(self, chosen: Any, claim: Any, *, now: float) -> Any:
        Delivery.objects.update(claimed_until=now + CLAIM_SECONDS, claimed_by="other")
        return self.box.take(chosen, claim, now=now)


def test_two_senders_at_once_send_once() -> None:
    first = World()
    first.evaluate(0.85)
    second = first.successor()
    second.evaluate(0.85)

    parcel = first.outbox.claim(now=first.clock.now)
    assert parcel is not None
    second.deliver()
    assert first.channel.sent == []

    # The same, when both have seen the delivery before either claims it.
    second.outbox._database = Hasty(second.outbox._database)
    second.deliver(after=CLAIM_SECONDS)
    assert first.channel.sent == []


def test_who_was_second_goes_on_from_what_the_first_wrote() -> None:
    first = World()
    second = first.successor()
    for world in (first, second):
        world.evaluate(0.5, after=0)
    first.step(0.85)
    second.evaluate(0.85, after=1)

    second.step(0.5)

    assert first.channel.told[-1] == "high_cpu_usage resolved warning"
    assert alerts() == [("high_cpu_usage", "warning", "resolved")]


def test_an_evaluator_that_slept_through_a_whole_episode_repeats_none_of_it() -> None:
    frozen = World()
    frozen.evaluate(0.5)
    successor = frozen.successor()
    for value in (0.85, 0.5):
        successor.step(value)

    # It wakes in the middle of its evaluation of a minute ago.
    frozen.source.says(METRIC, 0.85)
    frozen.runner.tick(frozen.clock.now - 30)
    frozen.deliver()
    frozen.step(0.5)

    assert len(frozen.channel.sent) == 2
    assert len(alerts()) == 1


def test_a_sender_that_slept_until_its_claim_ran_out_does_not_send() -> None:
    world = World()
    world.evaluate(0.85)
    claim = world.outbox.claim

    def claim_and_sleep(*, now: float) -> object:
        parcel = claim(now=now)
        world.clock.advance(CLAIM_SECONDS - MARGIN + 1)
        return parcel

    world.outbox.claim = claim_and_sleep  # type: ignore[method-assign, assignment]
    world.sender.send_next()

    assert world.channel.tried == []


def test_a_pending_alert_keeps_its_waiting_time_over_a_restart() -> None:
    rule = load_rule({**RULE, "for": "40s"})
    world = World(rules=[rule])
    for _ in range(3):
        world.step(0.85)

    successor = world.successor()
    successor.step(0.85)

    assert world.channel.told == ["high_cpu_usage firing warning"]


def test_a_restart_that_takes_hours_is_no_absence_of_data() -> None:
    missing = {"no_data": {"policy": "fire", "for": "2h"}}
    world = World(rules=[load_rule({**RULE, **missing})])
    world.step()
    successor = world.successor()

    # Of the time in which nobody evaluated an hour counts.
    successor.step(after=10 * 3600)
    assert world.channel.told == []
    successor.step(after=3600)

    assert world.channel.told == ["high_cpu_usage firing warning"]


def test_an_open_alert_is_taken_over_without_any_memory_but_the_database() -> None:
    from alerting.journal import MemoryJournal

    world = World()
    world.step(0.85)

    successor = world.successor(journal=MemoryJournal())
    successor.step(0.95)
    successor.step(0.5)

    assert world.channel.told == [
        "high_cpu_usage firing warning",
        "high_cpu_usage escalated critical",
        "high_cpu_usage resolved critical",
    ]


def test_two_hosts_on_one_database_have_alerts_of_their_own() -> None:
    one = World(scope=(("host.name", "one"),), channels=[FakeChannel()])
    two = World(
        scope=(("host.name", "two"),), channels=[FakeChannel()], clock=one.clock
    )

    one.step(0.85)
    two.step(0.5)
    one.step(0.85)
    two.step(0.85)
    one.step(0.5)

    assert len(one.channel.sent) == 2
    assert [alert.state for alert in Alert.objects.order_by("fired_at")] == [
        "resolved",
        "firing",
    ]


def test_what_the_journal_holds_in_another_format_is_forgotten() -> None:
    world = World()
    world.journal.put(SNAPSHOT, b'{"states": 5}')

    world.step(0.85)

    assert world.channel.told == ["high_cpu_usage firing warning"]


# --- status -----------------------------------------------------------------------------


def status_of(world: World) -> Status:
    world.evaluate(*(reading.value for reading in world.source.answers[METRIC]))  # type: ignore[union-attr]
    document = world.journal.get(STATUS)
    assert document is not None
    return Status.model_validate(json.loads(document))


def test_the_status_is_published_for_other_processes() -> None:
    world = World()
    world.rules.append(load_rule({**RULE, "name": "waiting", "for": "1h"}))
    world.rules.append(load_rule({"name": "code", "condition": lambda _: 1 / 0}))

    world.step(0.95)
    status = status_of(world)

    assert status.evaluator is not None
    assert (status.evaluator.host, status.evaluator.pid) == ("web1", 42)
    assert status.evaluator.last_evaluation_at.timestamp() == world.clock.now
    assert (status.firing, status.pending) == ({"critical": 1}, 1)
    assert [(rule.name, rule.health) for rule in status.rules] == [
        ("high_cpu_usage", "ok"),
        ("waiting", "ok"),
        ("code", "error"),
    ]
    assert status.rules[2].last_error == "ZeroDivisionError: division by zero"
    assert status.history is not None
    assert status.history.is_database_used


def test_there_is_no_status_before_the_first_evaluation() -> None:
    assert World().runner.status() is None


def test_states_are_kept_between_evaluations() -> None:
    world = World()
    world.step(0.85)

    [state] = world.ledger.states.values()

    assert (state.state, state.alert_id) == (State.FIRING, str(Alert.objects.get().id))
