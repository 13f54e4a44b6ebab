"""The mails the alerting sent: read from the files of Django's file backend."""

from __future__ import annotations

import email
import email.policy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from pathlib import Path

# The line the backend writes after each message.
END_OF_MESSAGE = b"\n" + b"-" * 79 + b"\n"


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail, as its reader sees it."""

    subject: str
    to: str
    lines: tuple[str, ...]

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Decode a message."""
        message = email.message_from_bytes(data, policy=email.policy.default)
        body = message.get_body(preferencelist=("plain",))
        text = body.get_content() if body else ""
        return cls(
            subject=str(message["Subject"]),
            to=str(message["To"]),
            lines=tuple(line.rstrip() for line in text.splitlines() if line.strip()),
        )

    @property
    def is_resolution(self) -> bool:
        """Whether the mail says that an alert is over."""
        return "resolved" in self.subject.lower()


def split_messages(data: bytes) -> list[bytes]:
    """Split what the backend wrote; a message still being written is left out."""
    return [part for part in data.split(END_OF_MESSAGE)[:-1] if part.strip()]


def read_mails(directory: Path) -> list[Mail]:
    """Read every mail sent so far, oldest first."""
    files = sorted(directory.glob("*.log"), key=lambda file: file.stat().st_mtime_ns)
    return [
        Mail.from_bytes(message)
        for file in files
        for message in split_messages(file.read_bytes())
    ]
