"""One connection of one process, behind a lock of its own.

A connection must not cross a fork. A child that merely drops it still inherits SQLite's
record of the locks its parent holds, and its own connections then take none: another
process may believe itself alone and delete the log under it. So the parent closes its
idle connections just before it forks, and opens them again when it next needs them.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final

from prs_otel import native
from prs_otel.store import forking
from prs_otel.store.base import BUSY_TIMEOUT, StoreError

if TYPE_CHECKING:
    from prs_otel.store.database_files import Inode
    from prs_otel.store.sqlite_file import Opened, StoreFile

FORK_WAIT: Final = 0.5
"""Seconds that a fork waits for a call in flight before it goes ahead."""

_inherited: list[Opened] = []
"""What a child must neither use nor close: a transaction of its parent is in there."""


class Handle:
    """Open the file when needed, anew when it was replaced, never a parent's.

    Everything but `held`, `forget` and the two ends of a fork needs the lock held.
    """

    def __init__(self, file: StoreFile) -> None:
        self.file = file
        self._opened: Opened | None = None
        self._damaged: Inode = None
        self._timeout = BUSY_TIMEOUT
        self._lock = native.allocate_lock()
        self._holder: int | None = None
        self._pid = os.getpid()
        forking.register(self)

    @contextmanager
    def held(self, timeout: float = BUSY_TIMEOUT) -> Iterator[None]:
        """Hold the lock. Raises `StoreError` when that takes longer than `timeout`."""
        if self._pid != os.getpid():
            self.forget()
        me = native.get_ident()
        # A greenlet that waited for another one of its thread would wait forever.
        if self._holder == me:
            message = "this thread is using the store already: finish that first"
            raise StoreError(message)
        lock = self._lock
        if not lock.acquire(timeout=max(0.0, timeout)):
            message = "another thread of this process has been using the store too long"
            raise StoreError(message)
        self._holder = me
        self._timeout = timeout
        try:
            yield
        finally:
            self._holder = None
            lock.release()

    def opened(self) -> Opened:
        """Return a connection to the file that is at its path now."""
        opened = self.known()
        if opened is None:
            if self._opened is not None and self._opened.has_lost_companions():
                self.file.rescue(self._opened)
            self.drop()
            opened = self._opened = self.file.open(damaged=self._damaged)
            self._damaged = None
        milliseconds = round(self._timeout * 1000)
        opened.connection.execute(f"PRAGMA busy_timeout = {milliseconds}")
        return opened

    def known(self) -> Opened | None:
        """Return the connection if it still is what it should be; needs no lock."""
        opened = self._opened
        if opened is None or self._pid != os.getpid() or not opened.is_current():
            return None
        return opened

    def drop(self, *, is_damaged: bool = False) -> None:
        """Close the connection; set its file aside when it is next opened, if damaged."""
        opened, self._opened = self._opened, None
        if opened is None:
            return
        if is_damaged:
            self._damaged = opened.identity[0]
        # Nothing can be done about a failure to close what is given up anyway.
        with suppress(sqlite3.Error):
            opened.connection.close()

    def end(self, opened: Opened) -> None:
        """End the transaction for reading, unless its connection was dropped."""
        if self._opened is not opened:
            return
        try:
            opened.connection.execute("ROLLBACK")
        except sqlite3.Error:
            self.drop()

    def forget(self) -> None:
        """Give up what was inherited by fork, and start with a lock of our own."""
        if self._opened is not None and self._lock.locked():
            _inherited.append(self._opened)
            self._opened = None
        # An idle one is closed: the locks of a process are its own, so the parent keeps
        # what it has, while SQLite in this process learns that it holds nothing.
        self.drop()
        self._lock = native.allocate_lock()
        self._holder = None
        self._pid = os.getpid()

    def pause(self) -> Callable[[], None] | None:
        """Close the connection before a fork; return what is to be called afterwards."""
        lock = self._lock
        if self._pid != os.getpid() or not lock.acquire(timeout=FORK_WAIT):
            return None
        self.drop()
        return lock.release
