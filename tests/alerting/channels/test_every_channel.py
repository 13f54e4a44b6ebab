"""What every channel must do, whatever it tells people with."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from alerting.channels import BUILT_IN, Channel, build_channel
from tests.support.mailing import SMTP, WAYS
from tests.support.notices import message, notice, resolution
from tests.support.smtp import Mailbox, mail_server

SECRET = "a-password-nobody-may-read"


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    with (
        mail_server() as mailbox,
        WAYS[-1](SMTP, host="127.0.0.1", port=mailbox.port),
    ):
        yield mailbox


@pytest.fixture(params=sorted(BUILT_IN))
def channel(request: pytest.FixtureRequest, mailbox: Mailbox) -> Channel:
    return build_channel(request.param)


def test_it_goes_by_its_name(channel: Channel) -> None:
    assert channel.name in BUILT_IN


def test_it_can_be_used_as_the_tests_are_configured(channel: Channel) -> None:
    assert channel.unavailable() == ""
    assert channel.recipients()


def test_it_returns_those_who_were_reached(channel: Channel) -> None:
    sent = channel.send(message(recipients=channel.recipients()))

    assert sent == channel.recipients()


def test_it_tells_alarms_resolutions_and_digests(channel: Channel) -> None:
    people = channel.recipients()

    for each in (
        message(notice(), notice(), recipients=people),
        message(resolution(), recipients=people),
        message(*[notice()] * 30, recipients=people, is_digest=True),
    ):
        assert channel.send(each) == people


def test_it_survives_text_in_any_language_and_control_characters(
    channel: Channel,
) -> None:
    strange = notice(name="überall\r\nBcc: x", message="日本 \x00 \ud800 é")

    assert channel.send(message(strange, recipients=channel.recipients()))
