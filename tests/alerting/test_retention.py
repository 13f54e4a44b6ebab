from __future__ import annotations

import time
from typing import NoReturn

import pytest
from django.db import DatabaseError
from django.test import override_settings

from alerting import contributions, retention, stored_rules, stored_silences
from alerting.models import Alert, AlertTransition, Delivery, RuleChange, StoredSilence
from alerting.notifications.silence import Silence
from alerting.retention import INTERVAL, Retention
from alerting.rules import load_structured
from alerting.times import utc
from prs_otel.monitoring import registry
from tests.support.alerting_world import METRIC, World, alerts

pytestmark = pytest.mark.django_db

DAY = 86_400.0


def test_what_was_over_long_ago_is_forgotten_with_all_that_was_told_of_it() -> None:
    world = World(retention=DAY)
    world.step(0.85)
    world.step(0.5)
    assert Delivery.objects.count() == 2

    world.step(0.5, after=DAY - 60)
    assert len(alerts()) == 1
    world.step(0.5, after=INTERVAL)

    counts = [m.objects.count() for m in (Alert, AlertTransition, Delivery)]
    assert counts == [0, 0, 0]


def test_what_still_fires_is_kept_however_old_it_is() -> None:
    world = World(retention=DAY)
    world.step(0.85)

    for _ in range(5):
        world.step(0.85, after=DAY)

    assert alerts() == [("high_cpu_usage", "warning", "firing")]


def test_the_number_of_an_episode_is_counted_on_though_the_first_is_forgotten() -> None:
    world = World(retention=DAY)
    world.step(0.85)
    world.step(0.5)
    first = Alert.objects.get().id
    world.step(0.5, after=2 * DAY)

    world.step(0.85)

    assert Alert.objects.get().id != first


def test_many_are_forgotten_some_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "AT_ONCE", 1)
    world = World(retention=DAY)
    for value in (0.85, 0.5) * 2:
        world.step(value)
    world.step(0.5, after=2 * DAY)
    assert len(alerts()) == 1

    world.step(0.5, after=INTERVAL - 1)
    assert len(alerts()) == 1
    world.step(0.5, after=1)

    assert alerts() == []


def test_a_database_that_fails_is_looked_at_again(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object) -> NoReturn:
        raise DatabaseError("password=secret")

    monkeypatch.setattr(retention, "stored", fail)

    assert Retention(DAY).prune(now=DAY) == 0
    assert caplog.messages == ["old alerts cannot be forgotten: DatabaseError"]


def silence(*, ends_at: float) -> None:
    begin, end = utc(ends_at - 60), utc(ends_at)
    wanted = Silence.model_validate(
        {
            "matchers": {"alertname": "x"},
            "starts_at": begin,
            "ends_at": end,
            "comment": str(ends_at),
        }
    )
    stored_silences.create(wanted, author="alice", now=ends_at - 60)


def change_rule(name: str, *, at: float) -> None:
    rule = load_structured({"name": name, "metric": METRIC, "threshold": 0.9})
    stored_rules.write(rule, user="alice", now=at)


def test_silences_that_ended_and_changes_of_rules_are_forgotten_like_alerts() -> None:
    silence(ends_at=1_000 * DAY)
    silence(ends_at=1_001 * DAY + 1)
    silence(ends_at=1_100 * DAY)
    change_rule("first", at=1_000 * DAY)
    change_rule("second", at=1_001 * DAY + 1)

    assert Retention(DAY).prune(now=1_002 * DAY) == 2

    ends = StoredSilence.objects.values_list("comment", flat=True)
    assert list(ends) == [str(1_001 * DAY + 1), str(1_100 * DAY)]
    assert [each.name for each in RuleChange.objects.all()] == ["second"]
    assert {rule.name for rule in stored_rules.load().rules} == {"first", "second"}


def test_a_cleanup_forgets_all_that_is_too_old_and_counts_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(retention, "AT_ONCE", 1)
    world = World(retention=1_000 * DAY)
    for value in (0.85, 0.5) * 2:
        world.step(value)
    long_after = world.clock.now + 91 * DAY
    for n in range(3):
        silence(ends_at=world.clock.now + n)
    change_rule("first", at=world.clock.now)

    with override_settings(ALERTING_SETTINGS={"HISTORY_RETENTION_DAYS": 90}):
        done = contributions.cleaned(now=long_after)
        again = contributions.cleaned(now=long_after)

    assert done == {"alerts": 2, "silences": 3, "rule_changes": 1}
    assert again == {"alerts": 0, "silences": 0, "rule_changes": 0}
    assert alerts() == []


def test_the_cleanup_of_monitoring_is_that_of_alerting_too() -> None:
    done = registry.requested_cleanup(time.time())

    assert done.removed == {"alerts": 0, "silences": 0, "rule_changes": 0}
    assert done.problems == []


def test_nothing_is_forgotten_where_monitoring_is_switched_off() -> None:
    change_rule("first", at=DAY)
    with override_settings(MONITORING_SETTINGS={"ENABLED": False}):
        assert registry.requested_cleanup(time.time()).removed == {}

    assert RuleChange.objects.exists()
