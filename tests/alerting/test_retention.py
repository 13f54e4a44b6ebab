from __future__ import annotations

from typing import NoReturn

import pytest
from django.db import DatabaseError

from alerting import retention
from alerting.models import Alert, AlertTransition, Delivery
from alerting.retention import INTERVAL, Retention
from tests.support.alerting_world import World, alerts

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
