"""The texts of statements: told by whoever runs them, dropped when longest unused.

They share the file with the history but are kept by use, not by age of the figures: so
they have a share of the quota, beyond which they may not push the history out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from prs_otel.store.base import TEXT_REFRESH
from prs_otel.store.validity import encodable

if TYPE_CHECKING:
    import sqlite3

# A text is a page or more, its time a few bytes: seldom worth rewriting it.
_NOTE: Final = (
    "INSERT INTO text (fingerprint, text, seen_at) VALUES (?, ?, ?)"
    " ON CONFLICT (fingerprint) DO UPDATE"
    " SET text = excluded.text, seen_at = excluded.seen_at"
    " WHERE excluded.seen_at >= seen_at + ?"
)
# As bytes: characters would have to be counted one by one.
_SIZE: Final = "SELECT coalesce(sum(length(CAST(text AS BLOB))), 0) FROM text"
_BY_USE: Final = (
    "SELECT fingerprint, length(CAST(text AS BLOB)) FROM text ORDER BY seen_at"
)


def note(
    connection: sqlite3.Connection, texts: Mapping[str, str], *, seen_at: float
) -> None:
    """Write the texts that are new, and the time of use where the last one is old."""
    connection.executemany(
        _NOTE,
        [
            (fingerprint, encodable(text), seen_at, TEXT_REFRESH)
            for fingerprint, text in texts.items()
        ],
    )


def size(connection: sqlite3.Connection) -> int:
    """Return the bytes of all texts."""
    (found,) = connection.execute(_SIZE).fetchone()
    return int(found)


def trim(connection: sqlite3.Connection, limit: int) -> int:
    """Delete the texts longest unused until the rest has `limit` bytes; return how many."""
    excess = size(connection) - limit
    gone = []
    for fingerprint, length in connection.execute(_BY_USE):
        if excess <= 0:
            break
        gone.append((fingerprint,))
        excess -= length
    connection.executemany("DELETE FROM text WHERE fingerprint = ?", gone)
    return len(gone)
