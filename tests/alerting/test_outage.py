"""The application's database goes away: alerts are told all the same, history follows."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator
from typing import Any

import pytest
from django.core.management import call_command
from django.db import DataError, OperationalError, connection

from alerting import history, replay
from alerting.backlog import PREFIX
from alerting.journal import MemoryJournal
from alerting.ledger import DAY
from alerting.models import Alert, AlertTransition, Delivery
from alerting.notifications.message import Message
from alerting.notifications.policy import Limits
from alerting.outbox.outbox import CLAIM_SECONDS
from alerting.record import Record
from tests.support.alerting_world import METRIC, World, alerts, deliveries


class Outage:
    """Lets every query fail while it lasts, as a stopped server does."""

    def __init__(self) -> None:
        self.is_on = False

    def __call__(
        self,
        execute: Callable[..., Any],
        sql: str,
        params: Any,
        many: bool,
        context: dict[str, Any],
    ) -> Any:
        if self.is_on:
            raise OperationalError("connection refused")
        return execute(sql, params, many, context)


@pytest.fixture
def outage(transactional_db: None) -> Iterator[Outage]:
    outage = Outage()
    with connection.execute_wrapper(outage):
        yield outage


def test_an_alert_is_told_at_once_while_the_database_is_away(outage: Outage) -> None:
    world = World()
    world.step(0.5)
    outage.is_on = True

    world.step(0.85)

    assert world.channel.told == ["high_cpu_usage firing warning"]


def test_the_history_is_complete_when_the_database_is_back(outage: Outage) -> None:
    world = World()
    outage.is_on = True
    for value in (0.85, 0.95, 0.5):
        world.step(value)
    assert len(world.channel.sent) == 3

    outage.is_on = False
    world.step(0.5)

    assert alerts() == [("high_cpu_usage", "critical", "resolved")]
    assert list(AlertTransition.objects.values_list("kind", flat=True)) == [
        "firing",
        "escalated",
        "resolved",
    ]
    assert [state for _, state, _ in deliveries()] == ["sent", "sent", "sent"]
    assert world.journal.keys(PREFIX) == []
    assert len(world.channel.sent) == 3


def test_an_alert_from_before_the_outage_resolves_during_it(outage: Outage) -> None:
    world = World()
    world.step(0.85)
    outage.is_on = True

    world.step(0.5)
    assert world.channel.sent[-1].recipients == ("alice@example.org", "bob@example.org")

    outage.is_on = False
    world.step(0.5)
    assert alerts() == [("high_cpu_usage", "warning", "resolved")]
    assert len(world.channel.sent) == 2


@pytest.mark.parametrize("hours", [0.5, 3])
def test_who_was_told_long_before_the_end_hears_of_it_during_the_outage(
    outage: Outage, hours: float
) -> None:
    world = World()
    world.step(0.85)
    outage.is_on = True
    world.step(0.85, after=hours * 3600)

    world.step(0.5)

    assert world.channel.told[1:] == ["high_cpu_usage resolved warning"]


def test_an_alert_from_during_the_outage_resolves_after_it(outage: Outage) -> None:
    world = World()
    outage.is_on = True
    world.step(0.85)
    outage.is_on = False

    world.step(0.85)
    world.step(0.5)

    assert world.channel.told == [
        "high_cpu_usage firing warning",
        "high_cpu_usage resolved warning",
    ]
    assert alerts() == [("high_cpu_usage", "warning", "resolved")]


def test_what_could_not_be_sent_during_the_outage_is_sent_after_it(
    outage: Outage,
) -> None:
    world = World()
    world.channel.fails(times=1)
    outage.is_on = True
    world.step(0.85)
    outage.is_on = False

    world.step(0.85, after=60)

    first, second = world.channel.tried
    assert first.key == second.key
    assert deliveries() == [("firing", "sent", "")]


def test_a_resolution_during_the_outage_waits_for_its_alarm(outage: Outage) -> None:
    world = World()
    world.channel.fails(times=1)
    outage.is_on = True
    world.step(0.85)

    world.step(0.5, after=1)
    assert world.channel.sent == []
    world.deliver(after=60)

    assert world.channel.told == [
        "high_cpu_usage firing warning",
        "high_cpu_usage resolved warning",
    ]


def test_a_resolution_during_the_outage_waits_for_an_alarm_from_before_it(
    outage: Outage,
) -> None:
    world = World()
    world.evaluate(0.85)
    outage.is_on = True
    world.step(0.5)
    assert world.channel.sent == []

    outage.is_on = False
    world.step(0.5)

    assert world.channel.told == [
        "high_cpu_usage firing warning",
        "high_cpu_usage resolved warning",
    ]
    assert deliveries() == [("firing", "sent", ""), ("resolved", "sent", "")]


def test_an_alarm_during_the_outage_does_not_wait_for_one_from_before_it(
    outage: Outage,
) -> None:
    world = World()
    world.evaluate(0.85)
    outage.is_on = True

    world.step(0.95)
    world.step(0.5)
    assert world.channel.told == ["high_cpu_usage escalated critical"]

    outage.is_on = False
    world.step(0.5)
    assert world.channel.told[1:] == [
        "high_cpu_usage firing warning",
        "high_cpu_usage resolved critical",
    ]


def test_a_resolution_of_what_nobody_could_be_told_is_skipped_during_the_outage(
    outage: Outage,
) -> None:
    world = World()
    world.channel.fails(times=1)
    outage.is_on = True
    world.step(0.85)
    world.evaluate(0.5, after=1)
    world.channel.fails(permanent=True)

    world.deliver(after=60)
    outage.is_on = False
    world.step(0.5)

    assert [(kind, state) for kind, state, _ in deliveries()] == [
        ("firing", "dead"),
        ("resolved", "skipped"),
    ]


def test_the_successor_goes_on_where_the_evaluator_stopped_during_the_outage(
    outage: Outage,
) -> None:
    world = World()
    outage.is_on = True
    world.step(0.85)
    world.channel.fails(times=1)
    world.step(0.95)

    successor = world.successor()
    successor.step(0.95, after=60)
    successor.step(0.5)

    assert world.channel.told == [
        "high_cpu_usage firing warning",
        "high_cpu_usage escalated critical",
        "high_cpu_usage resolved critical",
    ]


def test_an_evaluator_that_was_succeeded_during_the_outage_tells_nothing(
    outage: Outage,
) -> None:
    outage.is_on = True
    first = World()
    first.evaluate(0.5)
    second = first.successor()
    second.step(0.85)

    first.source.says(METRIC, 0.85)
    first.runner.tick(first.clock.now)
    first.deliver()
    first.step(0.85)

    assert len(first.channel.sent) == 1


def deliver_and_break(world: World, outage: Outage) -> None:
    """Let the database go away while a message is on its way."""
    send = world.channel.send

    def send_and_break(message: Message) -> tuple[str, ...]:
        outage.is_on = True
        return send(message)

    world.channel.send = send_and_break  # type: ignore[method-assign]
    world.deliver()
    world.channel.send = send  # type: ignore[method-assign]


def test_what_was_sent_is_written_down_as_soon_as_the_database_takes_it(
    outage: Outage,
) -> None:
    world = World()
    world.evaluate(0.85)
    deliver_and_break(world, outage)
    outage.is_on = False
    assert deliveries() == [("firing", "due", "")]

    world.deliver()

    assert deliveries() == [("firing", "sent", "")]
    world.successor().step(0.85, after=3 * 3600)
    assert len(world.channel.sent) == 1


def test_what_was_sent_is_known_although_memory_was_read_anew_before_it_was_written(
    outage: Outage,
) -> None:
    world = World()
    world.evaluate(0.85)
    deliver_and_break(world, outage)
    outage.is_on = False
    world.ledger.forget()
    world.step(0.85)
    outage.is_on = True

    world.step(0.5)

    assert world.channel.told == [
        "high_cpu_usage firing warning",
        "high_cpu_usage resolved warning",
    ]


def test_what_was_sent_but_could_not_be_written_down_is_not_sent_again(
    outage: Outage,
) -> None:
    world = World()
    world.evaluate(0.85)
    deliver_and_break(world, outage)
    assert world.outbox.last_error == "OperationalError: connection refused"

    world.deliver(after=CLAIM_SECONDS + 1)
    outage.is_on = False
    world.evaluate(0.85, after=CLAIM_SECONDS)
    world.evaluate(0.95)
    world.deliver()

    assert world.channel.told == [
        "high_cpu_usage firing warning",
        "high_cpu_usage escalated critical",
    ]
    assert [state for _, state, _ in deliveries()] == ["sent", "sent"]


def test_a_claim_that_fails_with_the_database_is_an_error_of_the_outbox(
    outage: Outage,
) -> None:
    world = World()
    world.evaluate(0.85)
    outage.is_on = True

    assert world.outbox.claim(now=world.clock.now) is None
    assert world.outbox.last_error == "OperationalError: connection refused"

    outage.is_on = False
    world.deliver()
    assert (len(world.channel.sent), world.outbox.last_error) == (1, "")


def test_the_status_tells_of_the_outage(outage: Outage) -> None:
    world = World()
    outage.is_on = True
    world.step(0.85)

    status = world.runner.status()

    assert status is not None
    assert status.history is not None
    assert not status.history.is_database_used
    assert status.history.last_error == "OperationalError: connection refused"
    assert status.history.journalled == 1


def test_a_database_that_fails_in_the_middle_of_an_evaluation_loses_nothing(
    outage: Outage, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World()
    world.step(0.5)
    episodes = history.episodes

    def last_good_query(fingerprints: Collection[str]) -> dict[str, int]:
        found = episodes(fingerprints)
        outage.is_on = True
        return found

    monkeypatch.setattr(history, "episodes", last_good_query)
    world.step(0.85)
    monkeypatch.undo()
    outage.is_on = False
    world.step(0.85)

    assert len(world.channel.sent) == 1
    assert Alert.objects.get().episode == world.clock.now // DAY + 1


def test_an_alert_nobody_remembered_is_ended_by_its_next_episode(
    outage: Outage,
) -> None:
    world = World()
    world.step(0.85)
    outage.is_on = True
    forgetful = world.successor(journal=MemoryJournal())
    forgetful.step(0.85)
    outage.is_on = False

    forgetful.step(0.85)
    forgetful.step(0.5)

    assert [alert[2] for alert in alerts()] == ["resolved", "resolved"]
    assert "as another episode" in Alert.objects.order_by("fired_at")[0].reason


def test_a_record_the_database_refuses_for_good_does_not_block_the_others(
    outage: Outage, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World()
    outage.is_on = True
    world.step(0.85)
    world.step(0.5)
    outage.is_on = False

    def refuse(record: Record, *, scope: str) -> None:
        if any(notice.sequence == 1 for notice in record.notices):
            raise DataError("value too long")
        replay.replay(record, scope=scope)

    monkeypatch.setattr("alerting.ledger.replay", refuse)
    world.step(0.5)

    assert len(world.backlog) == 0
    assert [t.kind for t in AlertTransition.objects.all()] == ["resolved"]


def test_what_was_held_before_the_outage_is_overtaken_during_it(
    outage: Outage,
) -> None:
    world = World(limits=Limits(cooldown=900.0, per_hour=100))
    for value in (0.85, 0.5, 0.85):
        world.step(value)
    outage.is_on = True
    world.step(0.5)
    outage.is_on = False

    world.step(0.5)
    world.deliver(after=3600)

    assert len(world.channel.sent) == 2
    assert deliveries()[2][1:] == ("skipped", "resolved before it was due")


def as_due(document: dict[str, Any]) -> dict[str, Any]:
    return {**document["tellings"][0], "state": "due"}


def test_a_record_that_is_half_there_is_completed(outage: Outage) -> None:
    world = World()
    outage.is_on = True
    world.step(0.85)
    world.step(0.95)
    outage.is_on = False
    held = [
        json.loads(world.journal.get(key) or b"") for key in world.journal.keys(PREFIX)
    ]
    world.step(0.95)
    AlertTransition.objects.filter(sequence=2).delete()
    Delivery.objects.update(state="due")

    for document in held:
        replay.replay(Record.from_json(document), scope="")
        waiting = Record.from_json({**document, "tellings": [as_due(document)]})
        replay.replay(waiting, scope="")

    assert AlertTransition.objects.count() == 2
    assert [state for _, state, _ in deliveries()] == ["sent", "sent"]


@pytest.mark.django_db(transaction=True)
def test_before_the_migration_alerts_are_told_and_after_it_recorded() -> None:
    call_command("migrate", "prs_alerting", "zero", verbosity=0)
    try:
        world = World()
        world.step(0.85)
        assert world.channel.told == ["high_cpu_usage firing warning"]
    finally:
        call_command("migrate", "prs_alerting", verbosity=0)

    world.step(0.85)

    assert alerts() == [("high_cpu_usage", "warning", "firing")]
    assert deliveries() == [("firing", "sent", "")]
