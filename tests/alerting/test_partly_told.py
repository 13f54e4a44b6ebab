"""What some recipients have and others have not."""

from __future__ import annotations

import pytest

from alerting.channels import DeliveryError
from alerting.channels.email import EmailChannel
from alerting.models import Delivery
from alerting.notifications.outcome import AGE_LIMIT
from alerting.runner import IDLE
from tests.support.alerting_world import World, deliveries
from tests.support.mailing import SMTP, WAYS
from tests.support.smtp import mail_server

ALICE, BOB = "alice@example.org", "bob@example.org"

pytestmark = pytest.mark.django_db


def half(*, permanent: bool = False) -> DeliveryError:
    return DeliveryError("bob was refused", permanent=permanent, accepted=(ALICE,))


def asked(world: World) -> list[tuple[str, ...]]:
    return [message.recipients for message in world.channel.tried]


def test_only_who_has_not_got_it_is_told_again() -> None:
    world = World()
    world.channel.failures = [half()]

    world.step(0.85)
    world.deliver(after=60)

    assert asked(world) == [(ALICE, BOB), (BOB,)]
    delivery = Delivery.objects.get()
    assert (delivery.state, delivery.recipients) == ("sent", [ALICE, BOB])
    first, second = world.channel.tried
    assert first.key == second.key


def test_who_has_it_is_known_to_a_successor() -> None:
    world = World()
    world.channel.failures = [half()]
    world.step(0.85)

    successor = world.successor()
    successor.step(0.85, after=60)

    assert asked(world) == [(ALICE, BOB), (BOB,)]


def test_a_resolution_is_told_again_only_to_who_has_not_got_it() -> None:
    world = World()
    world.step(0.85)
    world.channel.failures = [half()]

    world.step(0.5)
    world.deliver(after=60)

    assert asked(world)[1:] == [(ALICE, BOB), (BOB,)]


def test_who_was_told_hears_of_the_end_though_others_were_given_up() -> None:
    world = World()
    world.channel.failures = [half(permanent=True)]

    world.step(0.85)
    world.step(0.5)

    assert asked(world) == [(ALICE, BOB), (ALICE,)]
    assert [state for _, state, _ in deliveries()] == ["sent", "sent"]
    assert Delivery.objects.order_by("id")[0].last_error == "bob was refused"


def test_a_channel_that_gave_somebody_up_has_an_error() -> None:
    world = World()
    world.channel.failures = [half(permanent=True)]

    world.step(0.85)

    [health] = world.sender.health().values()
    assert (health.health, health.last_error) == ("error", "bob was refused")
    assert health.dead == 0


def test_who_is_refused_again_and_again_is_given_up_in_the_end() -> None:
    world = World()
    world.channel.failures = [half(), *[DeliveryError("no")] * 200]
    world.step(0.85)

    for _ in range(int(AGE_LIMIT / 900) + 10):
        world.deliver(after=900)

    assert len(world.channel.tried) == AGE_LIMIT / 900 + 1
    assert Delivery.objects.get().recipients == [ALICE]


def test_when_the_one_who_was_refused_has_left_everybody_has_it() -> None:
    world = World()
    world.channel.failures = [half()]
    world.step(0.85)
    world.channel.people = (ALICE,)

    world.deliver(after=60)

    assert len(world.channel.tried) == 1
    assert Delivery.objects.get().recipients == [ALICE]
    assert world.runner.deliver() == IDLE


def test_a_mail_server_that_takes_half_of_the_recipients_gets_the_others_again() -> (
    None
):
    with (
        mail_server() as mailbox,
        WAYS[-1](SMTP, host="127.0.0.1", port=mailbox.port),
    ):
        world = World(channels=[EmailChannel()])  # type: ignore[list-item]
        mailbox.refused = {BOB: "450 4.2.1 greylisted"}
        world.step(0.85)
        mailbox.refused = {}
        world.deliver(after=60)

    assert mailbox.recipients == [ALICE, BOB]
    first, second = mailbox.mails
    assert first["Message-ID"] == second["Message-ID"]
    assert Delivery.objects.get().state == "sent"
