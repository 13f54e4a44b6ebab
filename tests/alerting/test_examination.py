from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.test import override_settings

from alerting.channels import build_channels
from alerting.examination import Finding, examine
from tests.support.mailing import SMTP, WAYS, Configure
from tests.support.servers import free_port
from tests.support.smtp import Mailbox, mail_server


@pytest.fixture(params=WAYS)
def configure(request: pytest.FixtureRequest) -> Configure:
    way: Configure = request.param
    return way


@pytest.fixture
def mailbox(configure: Configure) -> Iterator[Mailbox]:
    with (
        mail_server() as mailbox,
        configure(SMTP, host="127.0.0.1", port=mailbox.port),
    ):
        yield mailbox


def only(*channels: str) -> Finding:
    (found,) = examine(build_channels(channels))
    return found


def test_a_mail_server_that_answers_is_well_and_is_sent_nothing(
    mailbox: Mailbox,
) -> None:
    found = only("email")

    assert found.level == "ok"
    assert "ADMINS who are told: 2" in found.message
    assert mailbox.mails == []


def test_a_mail_server_that_is_not_there_is_critical(configure: Configure) -> None:
    with configure(SMTP, host="127.0.0.1", port=free_port()):
        found = only("email")

    assert found.level == "critical"
    assert "ConnectionRefusedError" in found.message
    assert "test-alert" in found.remedy


def test_a_mail_server_that_refuses_is_quoted(mailbox: Mailbox) -> None:
    mailbox.replies["GREETING"] = "554 no service for you"

    assert "554 no service for you" in only("email").message


def test_a_backend_that_sends_to_nobody_is_named(configure: Configure) -> None:
    backend = "django.core.mail.backends.console.EmailBackend"

    with configure(backend):
        found = only("email")

    assert found.level == "warning"
    assert backend in found.message


@override_settings(ADMINS=[])
def test_nobody_to_write_to_is_a_finding() -> None:
    found = only("email")

    assert found.level == "warning"
    assert "Alerts are not told by email: ADMINS is empty." in found.message


def test_other_channels_are_named() -> None:
    assert only("log") == Finding("ok", "Alerts are told by log.")


def test_without_any_channel_nobody_is_told() -> None:
    assert only().level == "warning"
