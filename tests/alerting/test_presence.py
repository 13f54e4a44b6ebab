from __future__ import annotations

from typing import NoReturn

import pytest
from django.db import DatabaseError

from alerting import presence
from alerting.history import scope_name
from alerting.labels import Labels
from alerting.models import Alert, AlertTransition, Evaluator
from alerting.presence import RENEWAL, SILENT_AFTER, Presence
from alerting.rules import load_rule
from tests.support.alerting_world import RULE, FakeChannel, World, alerts, deliveries
from tests.support.clock import Clock

pytestmark = pytest.mark.django_db

WEEK = 7 * 86_400.0


def scope(host: str, service: str = "shop") -> Labels:
    return (("host.name", host), ("service.name", service))


def world(host: str, clock: Clock, service: str = "shop") -> World:
    return World(scope=scope(host, service), channels=[FakeChannel()], clock=clock)


def test_an_evaluator_says_that_it_lives_once_a_minute() -> None:
    mine = Presence(scope("web-1"))
    seen = []
    for now in (1000.0, 1000.0 + RENEWAL - 1, 1000.0 + RENEWAL):
        mine.renew(now=now)
        seen.append(Evaluator.objects.get().seen_at.timestamp())

    assert seen == [1000.0, 1000.0, 1000.0 + RENEWAL]
    assert Evaluator.objects.get().service == "shop"


def test_a_clock_set_back_does_not_make_it_fall_silent() -> None:
    mine = Presence(scope("web-1"))
    mine.renew(now=WEEK)
    mine.renew(now=1000.0)

    assert Evaluator.objects.get().seen_at.timestamp() == 1000.0


def test_what_fired_on_a_host_that_is_gone_is_resolved_by_the_next_one() -> None:
    old = world("web-1", Clock())
    old.step(0.85)
    new = world("web-2", old.clock)
    new.channels = old.channels

    new.step(0.5, after=SILENT_AFTER - 60)
    assert alerts() == [("high_cpu_usage", "warning", "firing")]
    new.step(0.5, after=120)

    assert alerts() == [("high_cpu_usage", "warning", "resolved")]
    alert = Alert.objects.get()
    assert alert.scope == scope_name(scope("web-2"))
    assert alert.labels["host.name"] == "web-1"
    assert "nobody evaluates for it any more" in alert.reason
    assert list(Evaluator.objects.values_list("scope", flat=True)) == [alert.scope]


def test_those_who_were_told_by_the_old_host_hear_of_the_end_from_the_new_one() -> None:
    old = world("web-1", Clock())
    old.step(0.85)
    new = world("web-2", old.clock)

    new.step(0.5, after=SILENT_AFTER + 1)

    assert new.channel.told == ["high_cpu_usage resolved warning"]
    assert new.channel.sent[0].recipients == old.channel.people


def test_a_resolution_the_old_host_could_not_send_is_sent_by_the_new_one() -> None:
    old = world("web-1", Clock())
    old.step(0.85)
    old.evaluate(0.5)
    assert Alert.objects.get().resolved_at is not None
    new = world("web-2", old.clock)

    new.step(0.5, after=SILENT_AFTER + 1)

    assert new.channel.told == ["high_cpu_usage resolved warning"]
    assert [state for _, state, _ in deliveries()] == ["sent", "sent"]


def test_an_alarm_the_old_host_could_not_send_is_told_with_its_end() -> None:
    old = world("web-1", Clock())
    old.evaluate(0.85)
    new = world("web-2", old.clock)

    new.step(0.5, after=SILENT_AFTER + 1)

    assert new.channel.told == [
        "high_cpu_usage firing warning",
        "high_cpu_usage resolved warning",
    ]


def test_the_alerts_of_another_service_are_left_alone() -> None:
    other = world("web-1", Clock(), service="warehouse")
    other.step(0.85)

    world("web-1", other.clock).step(0.5, after=WEEK)

    assert alerts() == [("high_cpu_usage", "warning", "firing")]
    assert Evaluator.objects.count() == 2


def test_two_services_of_one_host_do_not_fight_over_an_alert() -> None:
    shop = world("web-1", Clock())
    warehouse = world("web-1", shop.clock, service="warehouse")
    for value in (0.85, 0.95, 0.5):
        shop.step(value)
        warehouse.step(0.5)

    assert len(shop.channel.sent) == 3
    assert warehouse.channel.sent == []


def test_a_host_that_was_only_cut_off_begins_anew() -> None:
    old = world("web-1", Clock())
    old.step(0.85)
    world("web-2", old.clock).step(0.5, after=SILENT_AFTER + 1)

    old.step(0.85)
    old.step(0.85)

    assert sorted(alerts()) == [
        ("high_cpu_usage", "warning", "firing"),
        ("high_cpu_usage", "warning", "resolved"),
    ]


def test_more_alerts_than_are_taken_over_at_once_are_taken_over_in_turn(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(presence, "ADOPTED_AT_ONCE", 1)
    old = world("web-1", Clock())
    old.rules.append(load_rule({**RULE, "name": "second"}))
    old.step(0.85)
    assert len(alerts()) == 2
    new = world("web-2", old.clock)

    new.step(0.5, after=SILENT_AFTER + 1)
    assert sorted(state for _, _, state in alerts()) == ["firing", "resolved"]
    new.step(0.5, after=RENEWAL)

    assert [state for _, _, state in alerts()] == ["resolved", "resolved"]
    assert set(AlertTransition.objects.values_list("scope", flat=True)) == {
        scope_name(scope("web-2"))
    }


def test_a_database_that_fails_is_somebody_elses_trouble(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(*_: object) -> NoReturn:
        raise DatabaseError

    monkeypatch.setattr(presence, "stored", fail)

    assert not Presence(scope("web-1")).renew(now=1000.0)
