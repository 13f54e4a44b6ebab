"""Keep the file within its quota: a limit on its pages, and what is oldest makes room.

The quota covers the database and its write-ahead log. Nothing frees a disk that others
have filled: SQLite then cannot even delete, and every call says so until there is space.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from prs_otel.store import sqlite_schema, sqlite_texts
from prs_otel.store.base import TEXTS_SHARE, Removed, StoreError, TooLargeError
from prs_otel.store.sqlite_writes import transaction

if TYPE_CHECKING:
    import sqlite3

_LARGEST_LOG: Final = 8 * 1024 * 1024
_LOG_SHARE: Final = 16
_LOGS_KEPT_FREE: Final = 3
_LARGEST_SHARE: Final = 4
_CHECKPOINT_PAGES: Final = 1000
_CHECKPOINTS_A_LOG: Final = 4
_CHECKPOINT_WAIT: Final = 50  # milliseconds
_SPARE_SHARE: Final = 20
"""Making room frees at least this part, so that it is not needed at every append."""
_SLACK: Final = 64 * 1024
"""Bytes that an append may need for pages beside those of its own parts."""
_ROWS_AT_ONCE: Final = 32


@dataclass(frozen=True, slots=True)
class Quota:
    """How the bytes of a quota are shared out."""

    total: int

    @property
    def log(self) -> int:
        """Return the bytes that the write-ahead log may have before it is emptied."""
        return min(self.total // _LOG_SHARE, _LARGEST_LOG)

    @property
    def database(self) -> int:
        """Return the bytes of the database: a log twice its size may take a write."""
        return self.total - _LOGS_KEPT_FREE * self.log

    @property
    def texts(self) -> int:
        """Return the bytes that the texts of statements may have."""
        return self.total // TEXTS_SHARE

    def check_size(self, size: int) -> None:
        """Raise `TooLargeError` for a write that would push out too many others."""
        if size > self.database // _LARGEST_SHARE:
            message = (
                f"{size} bytes at once are too many for a monitoring store with a"
                f" quota of {self.total} bytes"
            )
            raise TooLargeError(message)


def apply(quota: Quota, connection: sqlite3.Connection) -> None:
    """Make SQLite keep to the quota on this connection."""
    page = _page_size(connection)
    often = min(_CHECKPOINT_PAGES, quota.log // page // _CHECKPOINTS_A_LOG)
    connection.execute(f"PRAGMA max_page_count = {quota.database // page}")
    connection.execute(f"PRAGMA wal_autocheckpoint = {often}")
    connection.execute(f"PRAGMA journal_size_limit = {often * page}")


def check_log(connection: sqlite3.Connection, quota: Quota, *, size: int) -> None:
    """Empty a write-ahead log that has grown to `size`, as far as readers let it be.

    Raises `StoreError` when one has kept it from being emptied for very long.
    """
    if size <= quota.log:
        return
    (timeout,) = connection.execute("PRAGMA busy_timeout").fetchone()
    connection.execute(f"PRAGMA busy_timeout = {min(timeout, _CHECKPOINT_WAIT)}")
    (is_busy, _, _) = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    connection.execute(f"PRAGMA busy_timeout = {timeout}")
    if is_busy and size > 2 * quota.log:
        message = (
            "a program that reads the monitoring store does not end its transaction;"
            f" the log has grown to {size} bytes and must not grow further"
        )
        raise StoreError(message)


def make_room(connection: sqlite3.Connection, quota: Quota, *, size: int) -> bool:
    """Evict what `size` more bytes need, and tell whether anything went.

    Nothing does where it is not the quota that is short: then the disk is full.
    """
    capacity = _limit(connection)
    # Twice the size: texts take more bytes than they have characters.
    needed = 2 * size + _SLACK
    if _used(connection) + needed < capacity:
        return False
    target = capacity - max(needed, quota.database // _SPARE_SHARE)
    return _evict(connection, quota, target) != Removed()


def evict(connection: sqlite3.Connection, quota: Quota) -> Removed:
    """Drop what is oldest until the rest is within the quota, and shrink the file."""
    removed = Removed()
    is_beyond = _used(connection) > quota.database
    if is_beyond or sqlite_texts.size(connection) > quota.texts:
        removed = _evict(connection, quota, quota.database)
    page = _page_size(connection)
    surplus = _pages(connection) - quota.database // page
    if surplus > 0:
        # One step frees one page, and only a script is stepped through to its end.
        connection.executescript(f"PRAGMA incremental_vacuum({surplus})")
    return removed


def _evict(connection: sqlite3.Connection, quota: Quota, target: int) -> Removed:
    with transaction(connection):
        texts = sqlite_texts.trim(connection, quota.texts)
        buckets = freed = 0
        while _used(connection) > target and (sizes := _oldest(connection, target)):
            buckets += sqlite_schema.drop_rows(connection, sizes)
            freed += sum(sizes.values())
    return Removed(buckets=buckets, size=freed, texts=texts)


def _oldest(connection: sqlite3.Connection, target: int) -> dict[int, int]:
    """Return the ids and sizes of the oldest buckets, few at a time."""
    excess = _used(connection) - target
    found = connection.execute(
        "SELECT id, size FROM bucket ORDER BY end_at, id LIMIT ?", (_ROWS_AT_ONCE,)
    )
    sizes = {}
    for number, size in found.fetchall():
        sizes[number] = size
        excess -= size
        if excess <= 0:
            break
    return sizes


def _used(connection: sqlite3.Connection) -> int:
    (free,) = connection.execute("PRAGMA freelist_count").fetchone()
    return (_pages(connection) - int(free)) * _page_size(connection)


def _limit(connection: sqlite3.Connection) -> int:
    (pages,) = connection.execute("PRAGMA max_page_count").fetchone()
    return int(pages) * _page_size(connection)


def _pages(connection: sqlite3.Connection) -> int:
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    return int(pages)


def _page_size(connection: sqlite3.Connection) -> int:
    (size,) = connection.execute("PRAGMA page_size").fetchone()
    return int(size)
