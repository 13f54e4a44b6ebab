from __future__ import annotations

from collections.abc import Iterator

import pytest

from alerting.channels.address import Address
from alerting.dead_mans_switch import DeadMansSwitch, Pings
from alerting.status import Status
from tests.support.alerting_world import World
from tests.support.notices import AT
from tests.support.receiver import Receiver, receiver


@pytest.fixture
def server() -> Iterator[Receiver]:
    with receiver() as found:
        yield found


def switch_for(server: Receiver) -> DeadMansSwitch:
    return DeadMansSwitch(Address.parse(f"{server.origin}/ping/key"), patience=60)


def test_the_address_is_asked_for_every_minute(server: Receiver) -> None:
    switch = switch_for(server)

    for seconds in range(0, 121, 15):
        switch.ping(evaluated_at=AT + seconds, now=AT + seconds)

    assert [(r.method, r.path) for r in server.requests] == [("GET", "/ping/key")] * 3
    assert switch.pings == Pings(0, "", AT + 120)


def test_a_clock_that_is_set_back_ends_nothing(server: Receiver) -> None:
    switch = switch_for(server)

    for at in (AT, AT - 86_400, AT - 86_399):
        switch.ping(evaluated_at=at, now=at)

    assert len(server.requests) == 2


def test_it_is_not_asked_for_when_nothing_has_been_evaluated_lately(
    server: Receiver,
) -> None:
    switch_for(server).ping(evaluated_at=AT - 61, now=AT)

    assert server.requests == []


def test_a_failure_is_counted_and_forgotten_with_the_next_success(
    server: Receiver,
) -> None:
    switch = switch_for(server)
    server.status = 503
    switch.ping(evaluated_at=AT, now=AT)
    failed = switch.pings
    server.status = 200
    switch.ping(evaluated_at=AT + 60, now=AT + 60)

    assert failed.failures == 1
    assert failed.last_error.endswith("answered 503 Service Unavailable")
    assert "key" not in failed.last_error
    assert switch.pings == Pings(1, "", AT + 60)


@pytest.mark.django_db
def test_an_evaluator_pings_as_long_as_it_evaluates(server: Receiver) -> None:
    world = World(switch=switch_for(server))
    world.deliver()
    before = len(server.requests)
    world.step(0.5)
    world.step(0.5, after=60)
    world.deliver(after=3600)

    status = world.runner.status()

    assert (before, len(server.requests)) == (0, 2)
    assert isinstance(status, Status)
    assert status.dead_mans_switch is not None
    assert status.dead_mans_switch.failures == 0
    assert status.dead_mans_switch.last_success_at is not None
