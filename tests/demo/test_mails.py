from __future__ import annotations

from email.message import EmailMessage
from pathlib import Path

from django.core.mail.backends.filebased import EmailBackend
from django.core.mail.message import EmailMessage as DjangoMessage

from demo_runner.mails import Mail, read_mails, split_messages


def send(directory: Path, *messages: DjangoMessage) -> None:
    EmailBackend(file_path=str(directory)).send_messages(list(messages))


def message(subject: str, body: str = "Text") -> DjangoMessage:
    return DjangoMessage(subject, body, "from@example.org", ["ops@example.org"])


def test_every_mail_django_wrote_is_read(tmp_path: Path) -> None:
    send(tmp_path, message("One", "First\n\nSecond"), message("Two: grün"))
    assert read_mails(tmp_path) == [
        Mail("One", "ops@example.org", ("First", "Second")),
        Mail("Two: grün", "ops@example.org", ("Text",)),
    ]


def test_without_a_directory_there_are_no_mails(tmp_path: Path) -> None:
    assert read_mails(tmp_path / "missing") == []


def test_a_mail_still_being_written_is_left_out() -> None:
    whole = b"Subject: One\n\nText\n" + b"-" * 79 + b"\n"
    assert split_messages(whole + b"Subject: Tw") == [b"Subject: One\n\nText"]


def test_of_an_html_mail_the_plain_part_is_read() -> None:
    written = EmailMessage()
    written["Subject"], written["To"] = "Both", "ops@example.org"
    written.set_content("plain")
    written.add_alternative("<p>html</p>", subtype="html")
    assert Mail.from_bytes(written.as_bytes()).lines == ("plain",)


def test_only_a_resolution_says_resolved_in_its_subject() -> None:
    assert Mail("[Resolved] rule", "", ()).is_resolution
    assert not Mail("[CRITICAL] rule", "", ("was resolved before",)).is_resolution
