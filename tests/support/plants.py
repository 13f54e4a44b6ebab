"""Texts unlike any other, each told to one place, and the search for them anywhere else."""

from __future__ import annotations

import email
import email.policy
import sqlite3
import zlib
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Plant:
    """A mail address, a card number and a token that belong at one place alone."""

    place: str

    @property
    def card(self) -> str:
        """Sixteen digits that no two places share."""
        digits = zlib.crc32(self.place.encode()) % 10**12
        return f"4929{digits:012}"

    @property
    def text(self) -> str:
        """What to put at the place."""
        return f"zq{self.place}@secret.example {self.card} ghp_zq{self.place}9f"

    @property
    def needles(self) -> tuple[str, str]:
        """What is left of the text however it is quoted or encoded."""
        return f"zq{self.place}", self.card


def found(plants: Iterable[Plant], within: str) -> set[str]:
    """Return the places whose plants occur in a text."""
    text = within.lower()
    return {
        plant.place
        for plant in plants
        if any(needle.lower() in text for needle in plant.needles)
    }


def store_text(file: Path) -> str:
    """Return all that is in a store: its files as they are, and its rows unpacked."""
    raw = [path.read_bytes() for path in file.parent.iterdir() if path.is_file()]
    # A reader of its own sees what is in the write-ahead log as well.
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as connection:
        raw += _rows(connection)
    return "\n".join(part.decode(errors="replace") for part in raw)


def mail_text(mail: str) -> str:
    """Return the headers and the decoded parts of a mail."""
    message = email.message_from_string(mail, policy=email.policy.default)
    parts = [str(part.get_content()) for part in message.walk() if _is_text(part)]
    return "\n".join([*map(str, message.values()), *parts])


def _is_text(part: email.message.Message) -> bool:
    return part.get_content_maintype() == "text"


def _rows(connection: sqlite3.Connection) -> Iterator[bytes]:
    tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
    for (table,) in tables.fetchall():
        for row in connection.execute(f'SELECT * FROM "{table}"'):
            yield from map(_unpacked, row)


def _unpacked(value: object) -> bytes:
    if not isinstance(value, bytes):
        return str(value).encode()
    try:
        return zlib.decompress(value)
    except zlib.error:
        return value
