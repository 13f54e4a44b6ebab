"""Get at the file: try, recover from what can be recovered, and report the rest."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Final, TypeVar

from prs_otel.store import sqlite_faults, sqlite_quota
from prs_otel.store.base import BUSY_TIMEOUT, StoreError
from prs_otel.store.sqlite_faults import Remedy
from prs_otel.store.sqlite_handle import Handle
from prs_otel.store.sqlite_writes import transaction

if TYPE_CHECKING:
    from prs_otel.store.base import Removed
    from prs_otel.store.sqlite_file import Opened, StoreFile

T = TypeVar("T")

_ATTEMPTS: Final = 3


class Access:
    """Two connections, so that reading never waits for a write of the same process."""

    def __init__(self, file: StoreFile) -> None:
        self.file = file
        self.last_error: str | None = None
        self._reader = Handle(file)
        self._writer = Handle(file)

    def transact(
        self,
        step: Callable[[sqlite3.Connection], T],
        *,
        size: int = 0,
        timeout: float = BUSY_TIMEOUT,
    ) -> T:
        """Run a step that writes about `size` bytes in a transaction of its own.

        It runs again when the file was replaced meanwhile, so it must bear repetition.
        """
        quota = self.file.quota

        def write(opened: Opened) -> T:
            log_size = opened.files.wal_size()
            sqlite_quota.check_log(opened.connection, quota, size=log_size)
            with transaction(opened.connection):
                return step(opened.connection)

        with self._reporting():
            quota.check_size(size)
            with self._writer.held(timeout):
                return self._attempt(self._writer, write, size=size)

    def evict(self, quota: sqlite_quota.Quota) -> Removed:
        """Drop what is oldest until the rest is within a quota."""
        with self._reporting(), self._writer.held():
            return self._attempt(
                self._writer,
                lambda opened: sqlite_quota.evict(opened.connection, quota),
            )

    @contextmanager
    def snapshot(self) -> Iterator[Opened]:
        """Hold a transaction for reading."""
        with ExitStack() as stack:
            # What the caller's block raises is none of our business.
            with self._reporting():
                stack.enter_context(self._reader.held())
                opened = self._attempt(self._reader, _begin)
            try:
                yield opened
            finally:
                self._reader.end(opened)

    def read_failed(self, error: sqlite3.Error) -> StoreError:
        """Prepare for the next call after a failure within a snapshot."""
        is_damaged = sqlite_faults.remedy(error) is Remedy.SET_ASIDE
        self._reader.drop(is_damaged=is_damaged)
        return self._noted(error)

    def generation(self) -> str:
        """Return the identity of what is in the file."""
        known = self._reader.known() or self._writer.known()
        if known is None:
            with self._reporting(), self._reader.held():
                known = self._attempt(self._reader, lambda opened: opened)
        return known.generation

    def close(self) -> None:
        """Close both connections."""
        for handle in (self._reader, self._writer):
            with handle.held():
                handle.drop()

    def forget(self) -> None:
        """Give up what was inherited by fork."""
        self._reader.forget()
        self._writer.forget()

    def _attempt(
        self, handle: Handle, step: Callable[[Opened], T], *, size: int = 0
    ) -> T:
        failure: sqlite3.Error | None = None
        for _ in range(_ATTEMPTS):
            try:
                result = step(handle.opened())
            except sqlite3.Error as error:
                failure = error
                if not self._remedied(handle, error, size=size):
                    break
            else:
                # Otherwise it went to a file that was replaced at this very moment.
                if handle.known() is not None:
                    return result
        if failure is not None:
            raise failure
        message = f"{self.file.path} is replaced over and over; what does that?"
        raise StoreError(message)

    def _remedied(self, handle: Handle, error: sqlite3.Error, *, size: int) -> bool:
        what = sqlite_faults.remedy(error)
        if what is Remedy.MAKE_ROOM:
            connection = handle.opened().connection
            return sqlite_quota.make_room(connection, self.file.quota, size=size)
        if what is not Remedy.WAIT:
            handle.drop(is_damaged=what is Remedy.SET_ASIDE)
        return what is not Remedy.WAIT

    @contextmanager
    def _reporting(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            raise self._noted(error) from error
        except StoreError as error:
            self.last_error = str(error)
            raise

    def _noted(self, error: sqlite3.Error | OSError) -> StoreError:
        self.last_error = sqlite_faults.explain(error, self.file.path)
        return StoreError(self.last_error)


def _begin(opened: Opened) -> Opened:
    opened.connection.execute("BEGIN")
    # The snapshot is taken by the first statement that reads.
    opened.connection.execute("SELECT 1 FROM store").fetchone()
    return opened
