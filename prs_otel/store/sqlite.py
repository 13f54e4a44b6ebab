"""The default store: one SQLite file per host, for any number of processes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from prs_otel.store import lease as leases
from prs_otel.store import sqlite_schema, sqlite_writes
from prs_otel.store.base import (
    BUSY_TIMEOUT,
    DEFAULT_QUOTA,
    LEADER,
    Beat,
    Bucket,
    Lease,
    Removed,
    StoreError,
)
from prs_otel.store.sqlite_access import Access
from prs_otel.store.sqlite_file import StoreFile
from prs_otel.store.sqlite_quota import Quota
from prs_otel.store.sqlite_reader import SqliteReader
from prs_otel.store.sqlite_writes import Append, LostRaceError
from prs_otel.store.validity import check_append, check_bucket, check_quota

T = TypeVar("T")

if TYPE_CHECKING:
    import sqlite3
    from pathlib import Path


class SqliteStore:
    """Keep everything in the file at `path`, within `quota_bytes`.

    Safe with threads and forks; the clock only stamps new files.
    """

    def __init__(
        self,
        path: Path,
        *,
        quota_bytes: int = DEFAULT_QUOTA,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._file = StoreFile(path, Quota(check_quota(quota_bytes)), clock=clock)
        self._access = Access(self._file)

    @property
    def url(self) -> str:
        """Return the URL that opens this store."""
        return f"sqlite:///{self._file.path}"

    def generation(self) -> str:
        """Return the identity of the file's content, `""` when it cannot be reached."""
        with suppress(StoreError):  # the access remembers it for `status`
            return self._access.generation()
        return ""

    def append(  # noqa: PLR0913 - the contract of stores
        self,
        bucket: Bucket | None,
        *,
        worker: str,
        sequence: int,
        beat: Beat,
        texts: Mapping[str, str],
        timeout: float = BUSY_TIMEOUT,
    ) -> None:
        """Add a delta once, however often it is repeated; without one, only the beat."""
        check_append(worker, sequence, beat)
        if bucket is not None:
            check_bucket(bucket)
        size = sum(map(len, texts.values())) + (bucket.size if bucket else 0)
        flush = Append(bucket, sequence, beat, texts)
        step = partial(sqlite_writes.append, flush=flush)
        self._access.transact(step, size=size, timeout=timeout)

    @contextmanager
    def reading(self) -> Iterator[SqliteReader]:
        """Open a snapshot; not to be nested within one thread."""
        with self._access.snapshot() as opened:
            yield SqliteReader(opened, self._access.read_failed)

    def replace(
        self,
        old: Sequence[int],
        new: Bucket | None,
        *,
        keeps_series: bool,
        epoch: int,
        lease: str = LEADER,
    ) -> int | None:
        """Replace rows by their merge and return its id; None when the race was lost."""
        if new is not None:
            check_bucket(new)

        def step(connection: sqlite3.Connection) -> int:
            sqlite_writes.check_epoch(connection, lease, epoch)
            return sqlite_writes.replace(
                connection, old, new, keeps_series=keeps_series
            )

        return self._unless_lost(step, size=0 if new is None else new.size)

    def write_rolling(self, ids: Sequence[int], cells: bytes, *, epoch: int) -> bool:
        """Keep the leader's rolling total; False when the lease has another epoch."""

        def step(connection: sqlite3.Connection) -> bool:
            sqlite_writes.check_epoch(connection, LEADER, epoch)
            sqlite_writes.write_rolling(connection, ids, cells)
            return True

        return self._unless_lost(step, size=len(cells)) or False

    def write_lifetime(self, up_to: int, cells: bytes, *, epoch: int) -> bool:
        """Keep what was counted up to a row; False when that would not be true."""

        def step(connection: sqlite3.Connection) -> bool:
            sqlite_writes.check_epoch(connection, LEADER, epoch)
            sqlite_writes.write_lifetime(connection, up_to, cells)
            return True

        return self._unless_lost(step, size=len(cells)) or False

    def forget(self, *, texts_before: float, beats_before: float) -> Removed:
        """Drop the texts and the workers last seen before these times."""
        step = partial(
            sqlite_writes.forget, texts_before=texts_before, beats_before=beats_before
        )
        return self._access.transact(step)

    def expire(self, *, ended_before: float) -> Removed:
        """Drop the rows that ended before a time, whoever leads."""
        step = partial(sqlite_writes.expire, ended_before=ended_before)
        return self._access.transact(step)

    def reset(self, *, at: float) -> Removed:
        """Drop every row and all totals; what began before `at` counts no more."""
        return self._access.transact(partial(sqlite_writes.reset, at=at))

    def evict(self, *, quota_bytes: int) -> Removed:
        """Drop the texts longest unused and the oldest rows until the rest fits."""
        return self._access.evict(Quota(quota_bytes))

    def acquire(  # noqa: PLR0913 - the contract of stores
        self, name: str, *, holder: str, host: str, pid: int, ttl: float, now: float
    ) -> Lease | None:
        """Take or renew a lease; None while somebody else holds it."""
        claim = Lease(name, holder, host, pid, epoch=0, expires_at=now)

        def step(connection: sqlite3.Connection) -> Lease | None:
            current = sqlite_schema.find_lease(connection, name)
            lease = leases.granted(current, claim, ttl=ttl, now=now)
            if lease is not None:
                sqlite_writes.write_lease(connection, lease)
            return lease

        return self._access.transact(step)

    def release(self, name: str, *, holder: str) -> None:
        """Give a lease up, if it is ours."""

        def step(connection: sqlite3.Connection) -> None:
            current = sqlite_schema.find_lease(connection, name)
            if current is not None and current.holder == holder:
                sqlite_writes.write_lease(connection, leases.released(current))

        self._access.transact(step)

    def put(self, key: str, value: bytes) -> None:
        """Keep a small document."""
        step = partial(sqlite_writes.put, key=key, value=value)
        self._access.transact(step, size=len(value))

    def get(self, key: str) -> bytes | None:
        """Return a document, None when there is none."""
        with self.reading() as reader:
            return reader.document(key)

    def keys(self, prefix: str) -> list[str]:
        """Return the keys that start with `prefix`, sorted."""
        with self.reading() as reader:
            return reader.keys(prefix)

    def delete(self, key: str) -> None:
        """Drop a document, if it exists."""
        self._access.transact(partial(sqlite_writes.delete, key=key))

    def status(self) -> dict[str, object]:
        """Return what people want to know of the store; never raises."""
        generation = self.generation()
        return {
            "url": self.url,
            "reachable": generation != "",
            "size_bytes": self._file.size(),
            "quota_bytes": self._file.quota.total,
            "last_error": self._access.last_error,
            "set_aside": self._file.set_aside(),
        }

    def close(self) -> None:
        """Close the connections; the next call opens them again."""
        self._access.close()

    def forget_connections(self) -> None:
        """Drop what was inherited by fork; the hooks of `forking` do it by themselves."""
        self._access.forget()

    def _unless_lost(
        self, step: Callable[[sqlite3.Connection], T], *, size: int
    ) -> T | None:
        with suppress(LostRaceError):  # rolled back: nothing has changed
            return self._access.transact(step, size=size)
        return None
