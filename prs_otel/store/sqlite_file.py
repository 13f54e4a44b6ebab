"""Open the file of a store, creating or replacing it where it cannot be used."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from prs_otel.store import ownership, sqlite_faults, sqlite_quota, sqlite_schema
from prs_otel.store.base import BUSY_TIMEOUT, Row, StoreError
from prs_otel.store.database_files import DatabaseFiles, Identity, Inode, inode
from prs_otel.store.file_lock import exclusive
from prs_otel.store.sqlite_faults import Remedy

if TYPE_CHECKING:
    from pathlib import Path

    from prs_otel.store.sqlite_quota import Quota

LIVELY: Final = 60.0
"""Seconds since its last write in which a file counts as used by somebody."""


class _OutdatedError(Exception):
    """The file has another format than this code."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A connection, the files it is connected to, and the rows it has seen so far."""

    connection: sqlite3.Connection
    files: DatabaseFiles
    identity: Identity
    generation: str
    rows: dict[int, Row] = field(default_factory=dict)

    def is_current(self) -> bool:
        """Tell whether the files connected to are still those at their paths."""
        return None not in self.identity and self.files.identity() == self.identity

    def has_lost_companions(self) -> bool:
        """Tell whether the log was deleted, while the database itself is still there."""
        database, *companions = self.files.identity()
        is_there = database is not None and database == self.identity[0]
        return is_there and companions != list(self.identity[1:])


class StoreFile:
    """The database at `path`; whoever changes which file that is holds its lock."""

    def __init__(
        self, path: Path, quota: Quota, *, clock: Callable[[], float] = time.time
    ) -> None:
        self.path = path
        self.quota = quota
        self._clock = clock

    def files(self) -> DatabaseFiles:
        """Return the files that `path` means now. Raises `StoreError`, `OSError`."""
        return DatabaseFiles.of(self.path, ownership.resolved(self.path))

    def size(self) -> int:
        """Return the bytes of the database and its log, 0 when they cannot be seen."""
        with suppress(StoreError, OSError):  # which one it is, every other call says
            return self.files().size()
        return 0

    def set_aside(self) -> list[str]:
        """Return the unusable files that are kept for people to look at."""
        with suppress(StoreError, OSError):  # which one it is, every other call says
            return [str(path) for path in self.files().kept_aside()]
        return []

    def open(self, *, damaged: Inode = None) -> Opened:
        """Connect to the file, creating it first when there is none that can be used.

        `damaged` is the inode of a file found to be unusable. Raises `StoreError`,
        `sqlite3.Error` or `OSError`.
        """
        files = self.files()
        ownership.prepare_directory(files.main.parent)
        with exclusive(files.lock):
            # Somebody else may have replaced the damaged file in the meantime.
            is_damaged = damaged is not None and inode(files.main) == damaged
            opened = None if is_damaged else self._connect_if_usable(files)
            if opened is None:
                files.set_aside(now=self._clock())
                opened = self._connect(files)
            return opened

    def rescue(self, opened: Opened) -> None:
        """Replace a database by a copy, made through a connection that has its log.

        Its log or shared memory was deleted, so connections made before and after would
        know nothing of one another. The copy is a file that none of them has open.
        Whoever writes to the old one notices at once and writes again.
        """
        files, connection = opened.files, opened.connection
        with exclusive(files.lock):
            if not opened.has_lost_companions():
                return
            files.rescued.unlink(missing_ok=True)
            ownership.create_file(files.rescued)
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            connection.execute("VACUUM INTO ?", (str(files.rescued),))
            # In this order: a log must never meet a database that it does not belong to.
            files.wal.unlink(missing_ok=True)
            files.shm.unlink(missing_ok=True)
            files.rescued.rename(files.main)

    def _connect_if_usable(self, files: DatabaseFiles) -> Opened | None:
        try:
            return self._connect(files)
        except _OutdatedError:
            return None
        except sqlite3.Error as error:
            if sqlite_faults.remedy(error) is Remedy.SET_ASIDE:
                return None
            raise

    def _connect(self, files: DatabaseFiles) -> Opened:
        if ownership.check_file(files.main) == 0:
            self._create(files)
        # Both are taken first: connecting makes a log, and whoever swaps the file from
        # here on makes the identity differ.
        number, age = inode(files.main), files.age(now=self._clock())
        connection = _connected(files.main)
        try:
            _check_format(connection, files, is_lively=age < LIVELY)
            _prepare(connection, files, self.quota)
            generation = sqlite_schema.find_generation(connection)
        except BaseException:
            connection.close()
            raise
        identity = (number, inode(files.wal), inode(files.shm))
        return Opened(connection, files, identity, generation)

    def _create(self, files: DatabaseFiles) -> None:
        # A log left behind by a deleted file must never be applied to its successor, and
        # an emptied file may still be open elsewhere: so all of them go.
        files.remove()
        ownership.create_file(files.main)
        connection = _connected(files.main)
        try:
            # Not yet in WAL mode: the tables must not depend on a log that may be lost.
            sqlite_schema.create(connection, now=self._clock())
        finally:
            connection.close()


def _connected(path: Path) -> sqlite3.Connection:
    # mode=rw: a file deleted this very moment must not come back with loose permissions.
    return sqlite3.connect(
        f"file:{quote(str(path))}?mode=rw",
        uri=True,
        timeout=BUSY_TIMEOUT,
        isolation_level=None,
        check_same_thread=False,
    )


def _check_format(
    connection: sqlite3.Connection, files: DatabaseFiles, *, is_lively: bool
) -> None:
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if application != sqlite_schema.APPLICATION_ID:
        message = f"{files.main} belongs to another program; choose another store"
        raise StoreError(message)
    if version == sqlite_schema.FORMAT_VERSION:
        return
    if version > sqlite_schema.FORMAT_VERSION and is_lively:
        # Setting it aside would start a fight with the newer processes.
        message = f"a newer prs-otel uses {files.main}; restart this process"
        raise StoreError(message)
    raise _OutdatedError


def _prepare(
    connection: sqlite3.Connection, files: DatabaseFiles, quota: Quota
) -> None:
    (mode,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
    if mode != "wal":
        message = (
            f"the file system of {files.main} does not let processes share memory;"
            " choose a store on a local disk"
        )
        raise StoreError(message)
    # A text with garbage in it is to be read as such, not to fail every listing.
    connection.text_factory = partial(str, encoding="utf-8", errors="replace")
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute("PRAGMA cache_size = -512")
    # Some distributions overwrite deleted rows with zeros, which doubles every eviction.
    connection.execute("PRAGMA secure_delete = OFF")
    sqlite_quota.apply(quota, connection)
