"""A store within one process: for tests, and for servers that have a single one."""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from prs_otel import native
from prs_otel.store import lease as leases
from prs_otel.store.base import (
    BUSY_TIMEOUT,
    DEFAULT_QUOTA,
    LEADER,
    Beat,
    Bucket,
    Lease,
    Removed,
)
from prs_otel.store.memory_content import Content, MemoryReader
from prs_otel.store.validity import check_append, check_bucket, check_quota


class MemoryStore:
    """Keep everything in this process; a forked child starts empty."""

    def __init__(
        self,
        url: str = "memory://",
        *,
        quota_bytes: int = DEFAULT_QUOTA,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._url = url
        self._quota_bytes = check_quota(quota_bytes)
        self._clock = clock
        self._start()

    @property
    def url(self) -> str:
        """Return the URL that opens this store."""
        return self._url

    def generation(self) -> str:
        """Return the identity of the content."""
        with self._locked() as content:
            return content.generation

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
        with self._locked() as content:
            if bucket is not None and sequence > content.marks.get(worker, -1):
                content.add_delta(bucket, seen_at=beat.seen_at)
                content.marks[worker] = sequence
            content.note_beat(beat)
            for fingerprint, text in texts.items():
                content.note_text(fingerprint, text, seen_at=beat.seen_at)
            content.evict(self._quota_bytes)

    @contextmanager
    def reading(self) -> Iterator[MemoryReader]:
        """Open a snapshot."""
        with self._locked() as content:
            snapshot = content.copy()
        yield MemoryReader(snapshot)

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
        with self._locked() as content:
            if not leases.is_current(content.leases.get(lease), epoch):
                return None
            if len(content.rows.keys() & set(old)) != len(old):
                return None
            if new is None:
                content.drop(old)
                return 0
            content.remove(old)
            return content.insert(new, old if keeps_series else ())

    def write_rolling(self, ids: Sequence[int], cells: bytes, *, epoch: int) -> bool:
        """Keep the leader's rolling total; False when the lease has another epoch."""
        with self._locked() as content:
            is_ours = leases.is_current(content.leases.get(LEADER), epoch)
            if is_ours:
                content.rolling = tuple(ids), cells
            return is_ours

    def write_lifetime(self, up_to: int, cells: bytes, *, epoch: int) -> bool:
        """Keep what was counted up to a row; False when that would not be true."""
        with self._locked() as content:
            is_ours = leases.is_current(content.leases.get(LEADER), epoch)
            known = content.lifetime
            is_newer = known is None or known[0] < up_to
            if not (is_ours and is_newer and up_to in content.rows):
                return False
            content.lifetime = up_to, cells
            return True

    def forget(self, *, texts_before: float, beats_before: float) -> Removed:
        """Drop the texts and the workers last seen before these times."""
        with self._locked() as content:
            return content.forget(texts_before=texts_before, beats_before=beats_before)

    def expire(self, *, ended_before: float) -> Removed:
        """Drop the rows that ended before a time, whoever leads."""
        with self._locked() as content:
            rows = content.rows.values()
            return content.drop([row.id for row in rows if row.end < ended_before])

    def reset(self, *, at: float) -> Removed:
        """Drop every row and all totals; what began before `at` counts no more."""
        with self._locked() as content:
            return content.reset(at)

    def evict(self, *, quota_bytes: int) -> Removed:
        """Drop the texts longest unused and the oldest rows until the rest fits."""
        with self._locked() as content:
            return content.evict(quota_bytes)

    def acquire(  # noqa: PLR0913 - the contract of stores
        self, name: str, *, holder: str, host: str, pid: int, ttl: float, now: float
    ) -> Lease | None:
        """Take or renew a lease; None while somebody else holds it."""
        claim = Lease(name, holder, host, pid, epoch=0, expires_at=now)
        with self._locked() as content:
            current = content.leases.get(name)
            lease = leases.granted(current, claim, ttl=ttl, now=now)
            if lease is not None:
                content.leases[name] = lease
            return lease

    def release(self, name: str, *, holder: str) -> None:
        """Give a lease up, if it is ours."""
        with self._locked() as content:
            current = content.leases.get(name)
            if current is not None and current.holder == holder:
                content.leases[name] = leases.released(current)

    def put(self, key: str, value: bytes) -> None:
        """Keep a small document."""
        with self._locked() as content:
            content.documents[key] = value

    def get(self, key: str) -> bytes | None:
        """Return a document, None when there is none."""
        with self._locked() as content:
            return content.documents.get(key)

    def keys(self, prefix: str) -> list[str]:
        """Return the keys that start with `prefix`, sorted."""
        with self._locked() as content:
            return sorted(key for key in content.documents if key.startswith(prefix))

    def delete(self, key: str) -> None:
        """Drop a document, if it exists."""
        with self._locked() as content:
            content.documents.pop(key, None)

    def status(self) -> dict[str, object]:
        """Return what people want to know of the store."""
        with self._locked() as content:
            size = content.size
        return {
            "url": self.url,
            "reachable": True,
            "size_bytes": size,
            "quota_bytes": self._quota_bytes,
            "last_error": None,
            "set_aside": [],
        }

    def close(self) -> None:
        """Keep everything: there is no connection to close."""

    def forget_connections(self) -> None:
        """Start empty: what a child inherited belongs to its parent."""
        self._start()

    def _start(self) -> None:
        self._lock = native.allocate_lock()
        self._pid = os.getpid()
        self._content = Content(uuid.uuid4().hex, self._clock())

    @contextmanager
    def _locked(self) -> Iterator[Content]:
        if self._pid != os.getpid():
            self._start()
        with self._lock:
            yield self._content


_shared: dict[str, MemoryStore] = {}


def shared(url: str, *, quota_bytes: int = DEFAULT_QUOTA) -> MemoryStore:
    """Return the store of this process that has the URL; its first quota stays."""
    store = _shared.get(url)
    if store is None:
        # Two threads may get here at once; both are given the one that came first.
        store = _shared.setdefault(url, MemoryStore(url, quota_bytes=quota_bytes))
    return store
