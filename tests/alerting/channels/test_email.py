from __future__ import annotations

import smtplib
import socket
import threading
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from django.core import mail
from django.core.mail.backends.base import BaseEmailBackend
from django.test import override_settings

from alerting.channels import DeliveryError, OptionError, build_channel
from alerting.channels import email as module
from alerting.channels.email import EmailChannel, addresses
from tests.support.alerting_world import FakeChannel, World
from tests.support.mailing import SMTP, WAYS, Configure
from tests.support.notices import message, notice, resolution
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


def failure(**replies: str) -> DeliveryError:
    with pytest.raises(DeliveryError) as caught:
        EmailChannel().send(message())
    return caught.value


def part(sent: EmailMessage, kind: str) -> str:
    body = sent.get_body(preferencelist=(kind,))
    assert body is not None
    return str(body.get_content())


@pytest.mark.parametrize(
    ("admins", "expected"),
    [
        ([("Alice", "alice@example.org"), ("Bob", "bob@example.org")], 2),
        (["alice@example.org", "bob@example.org"], 2),
        ([["Alice", "alice@example.org"], "alice@example.org"], 1),
        ([], 0),
        ([""], 0),
    ],
)
def test_administrators_have_names_or_only_addresses(
    admins: list[Any], expected: int
) -> None:
    found = addresses(admins)

    assert found == ("alice@example.org", "bob@example.org")[:expected]


def test_without_administrators_there_is_nobody_to_write_to() -> None:
    with override_settings(ADMINS=[]):
        assert EmailChannel().unavailable() == "ADMINS is empty"


def test_a_mail_has_every_administrator_in_to(mailbox: Mailbox) -> None:
    EmailChannel().send(message())

    [sent] = mailbox.mails
    assert sent["To"] == "alice@example.org, bob@example.org"
    assert sent["From"] == "monitoring@example.org"
    assert sent["Subject"] == "[shop] critical: deals_errors"
    assert sent["Auto-Submitted"] == "auto-generated"
    assert mailbox.recipients == ["alice@example.org", "bob@example.org"]


def test_a_mail_is_text_and_html(mailbox: Mailbox) -> None:
    EmailChannel().send(message())

    [sent] = mailbox.mails
    assert "deals_errors: critical (firing)" in part(sent, "plain")
    assert "<h3>deals_errors: critical</h3>" in part(sent, "html")


def test_every_attempt_has_the_same_message_id(mailbox: Mailbox) -> None:
    for _ in range(2):
        EmailChannel().send(message())
    EmailChannel().send(message(batch="another"))

    ids = [sent["Message-ID"] for sent in mailbox.mails]
    assert ids[0] == ids[1] != ids[2]
    assert ids[0] == f"<{message().key}@example.org>"


@pytest.mark.parametrize(
    ("chosen", "other", "expected"),
    [
        ("alerts@shop.example", "django@shop.example", "alerts@shop.example"),
        ("alerts@shop.example", "root@localhost", "alerts@shop.example"),
        ("webmaster@localhost", "django@shop.example", "django@shop.example"),
        ("webmaster@localhost", "root@localhost", "webmaster@localhost"),
    ],
)
def test_a_mail_is_from_whichever_address_the_project_has_chosen(
    mailbox: Mailbox, chosen: str, other: str, expected: str
) -> None:
    with override_settings(DEFAULT_FROM_EMAIL=chosen, SERVER_EMAIL=other):
        EmailChannel().send(message())

    [sent] = mailbox.mails
    assert sent["From"] == expected
    assert sent["Message-ID"].endswith(f"@{expected.partition('@')[2]}>")


def test_a_sender_without_domain_has_a_message_id_all_the_same() -> None:
    with override_settings(DEFAULT_FROM_EMAIL="root"):
        assert module.message_id(message()).endswith("@root>")
    with override_settings(DEFAULT_FROM_EMAIL=""):
        assert module.message_id(message()).endswith("@localhost>")


def test_a_resolution_says_so_in_its_subject(mailbox: Mailbox) -> None:
    EmailChannel().send(message(resolution()))

    assert mailbox.mails[0]["Subject"] == "[shop] resolved: deals_errors"


def test_no_header_follows_a_name(mailbox: Mailbox) -> None:
    EmailChannel().send(message(notice(name="x\r\nBcc: eve@example.org")))

    [sent] = mailbox.mails
    assert sent["Bcc"] is None
    assert len(mailbox.recipients) == 2


@pytest.mark.parametrize(
    ("command", "reply", "permanent"),
    [
        ("END", "554 5.7.1 refused as spam", True),
        ("END", "451 4.3.0 try again later", False),
        ("MAIL", "550 5.1.8 sender refused", True),
        ("MAIL", "421 4.3.2 shutting down", False),
        ("RCPT", "550 5.1.1 no such user", True),
        ("RCPT", "450 4.2.1 greylisted", False),
        ("GREETING", "554 no service here", False),
        ("GREETING", "421 too busy", False),
        ("END", "hang up", False),
        ("EHLO", "hang up", False),
    ],
)
def test_a_refusal_is_final_only_if_it_is_about_this_mail(
    mailbox: Mailbox, command: str, reply: str, permanent: bool
) -> None:
    mailbox.replies[command] = reply

    error = failure()

    assert error.permanent is permanent
    code = reply[:3] if reply != "hang up" else "Connection unexpectedly closed"
    assert code in str(error)


def test_a_server_that_hangs_is_left_after_the_timeout(
    mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "TIMEOUT", 0.05)
    mailbox.hangs = threading.Event()

    error = failure()

    assert not error.permanent
    assert "timed out" in str(error)


def test_the_projects_own_timeout_is_kept(configure: Configure) -> None:
    with configure(SMTP, host="127.0.0.1", timeout=3):
        assert module._connection().timeout == 3
    with configure(SMTP, host="127.0.0.1"):
        assert module._connection().timeout == 10.0


def test_a_server_that_is_not_there_is_tried_again(configure: Configure) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with configure(SMTP, host="127.0.0.1", port=port):
        assert not failure().permanent


class Backend(BaseEmailBackend):
    """A backend that fails as its class says."""

    error: Exception | None = None
    count: int | None = 0

    def send_messages(self, email_messages: Any) -> Any:
        if self.error is not None:
            raise self.error
        return self.count


HERE = f"{Backend.__module__}.Backend"


def test_a_login_that_fails_is_told_without_what_the_server_said(
    configure: Configure, monkeypatch: pytest.MonkeyPatch
) -> None:
    refusal = smtplib.SMTPAuthenticationError(535, b"bad user:secret")
    monkeypatch.setattr(Backend, "error", refusal)

    with configure(HERE):
        error = failure()

    assert not error.permanent
    assert "secret" not in str(error)
    assert "EMAIL_HOST_USER" in str(error)
    assert "MAILERS" in str(error)


def test_a_backend_that_sends_nothing_has_not_told_anybody(
    configure: Configure,
) -> None:
    with configure(HERE):
        assert str(failure()) == "the mail backend sent nothing"


def test_a_backend_that_queues_without_counting_has_accepted_the_mail(
    configure: Configure, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Backend, "count", None)

    with configure(HERE):
        assert EmailChannel().send(message()) == message().recipients


def test_where_django_has_mailers_they_are_used(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Mailers:
        default = Backend()

    monkeypatch.setattr(mail, "mailers", Mailers(), raising=False)

    assert module._connection() is Mailers.default


def test_a_project_without_any_mailer_is_told_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from django.core.exceptions import ImproperlyConfigured

    class Mailers:
        @property
        def default(self) -> object:
            raise ImproperlyConfigured("The mailer 'default' is not configured.")

    monkeypatch.setattr(mail, "mailers", Mailers(), raising=False)

    error = failure()

    assert "is not configured" in str(error)
    assert not error.permanent


# --- who is refused ---------------------------------------------------------------------


@pytest.mark.parametrize(("code", "permanent"), [(450, False), (550, True)])
def test_who_is_refused_while_others_are_not_is_told(
    mailbox: Mailbox, code: int, permanent: bool
) -> None:
    mailbox.refused = {"bob@example.org": f"{code} no"}

    error = failure()

    assert error.accepted == ("alice@example.org",)
    assert error.permanent is permanent
    assert str(error) == f"1 of 2 recipients were refused ({code})"
    assert len(mailbox.mails) == 1


def test_only_who_was_refused_is_sent_the_mail_again(mailbox: Mailbox) -> None:
    EmailChannel().send(message(recipients=("bob@example.org",)))

    assert mailbox.recipients == ["bob@example.org"]
    assert mailbox.mails[0]["Message-ID"] == module.message_id(message())


# --- one connection, one thread, one list -----------------------------------------------


def test_the_mails_of_a_session_share_a_connection(mailbox: Mailbox) -> None:
    channel = EmailChannel()
    with channel.session():
        for batch in ("a", "b", "c"):
            channel.send(message(batch=batch))
    channel.send(message(batch="d"))

    assert (len(mailbox.mails), mailbox.connections) == (4, 2)


def test_what_broke_is_not_used_for_the_next_mail(mailbox: Mailbox) -> None:
    channel = EmailChannel()
    with channel.session():
        mailbox.replies["END"] = "hang up"
        with pytest.raises(DeliveryError):
            channel.send(message())
        del mailbox.replies["END"]
        channel.send(message())

    assert mailbox.connections == 2


def test_the_mails_of_one_alert_are_one_thread(mailbox: Mailbox) -> None:
    EmailChannel().send(message())
    EmailChannel().send(message(resolution(), batch="b"))
    EmailChannel().send(message(notice(), notice(alert_id="other"), batch="c"))

    first, second, both = mailbox.mails
    root = f"<alert-{notice().alert_id}@example.org>"
    assert first["In-Reply-To"] == first["References"] == second["References"] == root
    assert both["References"].split() == [root, "<alert-other@example.org>"]
    assert both["In-Reply-To"] == root


def test_a_digest_belongs_to_so_many_threads_only(mailbox: Mailbox) -> None:
    storm = [notice(alert_id=f"{number}") for number in range(500)]

    EmailChannel().send(message(*storm, is_digest=True))

    assert len(mailbox.mails[0]["References"].split()) == module.THREADS_LIMIT


def test_a_mail_shows_nothing_from_elsewhere_and_escapes_what_it_shows(
    mailbox: Mailbox,
) -> None:
    evil = '<img src="http://evil.example/x.png"><script>alert(1)</script>'

    EmailChannel().send(message(notice(message=evil, evidence={"traces": [evil]})))

    html = part(mailbox.mails[0], "html")
    assert "<img" not in html
    assert "<script" not in html
    assert "&lt;img" in html


def test_others_than_the_administrators_can_be_written_to(mailbox: Mailbox) -> None:
    channel = build_channel(
        {"type": "email", "name": "oncall", "to": ["carol@example.org"]}
    )

    channel.send(message(recipients=channel.recipients()))

    assert channel.name == "oncall"
    assert mailbox.recipients == ["carol@example.org"]
    with pytest.raises(OptionError, match=r"'to' cannot be 'carol'; write a list of"):
        build_channel({"type": "email", "to": "carol"})


@pytest.fixture
def has_mailers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mail, "mailers", getattr(mail, "mailers", {}), raising=False)


@pytest.mark.parametrize(
    ("mailers", "reason"),
    [
        ({}, "no mailer is configured; write MAILERS['default']"),
        ({"other": {}}, "no mailer is configured; write MAILERS['default']"),
        ({"default": {"BACKEND": "no.where"}}, "the mail backend cannot be imported"),
        ({"default": {"BACKEND": SMTP}}, ""),
        ({"default": {}}, ""),
    ],
)
def test_without_a_mailer_the_channel_cannot_be_used(
    has_mailers: None, mailers: Any, reason: str
) -> None:
    with override_settings(MAILERS=mailers):
        found = EmailChannel().unavailable()

    assert found.startswith(reason)
    assert bool(found) is bool(reason)


def test_a_backend_that_is_not_there_makes_the_channel_unavailable() -> None:
    with WAYS[-1]("no.where"):
        reason = EmailChannel().unavailable()

    assert "the mail backend cannot be imported; write EMAIL_BACKEND" in reason


def test_to_ask_whether_mail_can_be_sent_changes_nothing(
    configure: Configure, tmp_path: Path
) -> None:
    place = tmp_path / "mails"
    backend = "django.core.mail.backends.filebased.EmailBackend"

    with configure(backend, file_path=str(place)):
        assert EmailChannel().unavailable() == ""

    assert not place.exists()


@pytest.mark.django_db
def test_without_a_mailer_the_others_are_told(has_mailers: None) -> None:
    world = World(channels=[EmailChannel(), FakeChannel()])  # type: ignore[list-item]

    with override_settings(MAILERS={}):
        world.step(0.85)
        health = world.sender.health()["email"]

    assert len(world.channels[1].sent) == 1
    assert (health.health, health.last_error[:9]) == ("skipped", "no mailer")
