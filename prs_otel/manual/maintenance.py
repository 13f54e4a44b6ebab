"""Tidy up the store, or have every later figure start from zero."""

from __future__ import annotations

import os
import socket
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from prs_otel import native
from prs_otel.rollup import retention
from prs_otel.store import lease as leases
from prs_otel.store.base import LEADER, StoreError

if TYPE_CHECKING:
    from prs_otel.rollup.view import MetricsView
    from prs_otel.store.base import Beat, Row, Store

_HOUR: Final = 3_600.0
_LEASE_TTL: Final = 10.0
_ATTEMPTS: Final = 20
_PAUSE: Final = 0.1
_FORGET_AFTER: Final = 3_600.0

Chosen = Callable[[list["Row"]], list[int]]


def cleanup(
    store: Store, *, retention_hours: float, quota_bytes: int, now: float
) -> dict[str, int]:
    """Drop what is older than the retention or beyond the quota, and say how much that was.

    Raises `StoreError`.
    """
    seconds = retention_hours * _HOUR
    expired = _drop(
        store, lambda rows: retention.expired(rows, now=now, retention=seconds), now=now
    )
    evicted = store.evict(quota_bytes=quota_bytes)
    store.forget(texts_before=now - seconds, beats_before=now - _FORGET_AFTER)
    return {"expired_buckets": expired, "evicted_buckets": evicted}


def reset_counters(
    view: MetricsView,
    *,
    patience: float,
    clock: Callable[[], float] = time.time,
    flush: Callable[[], object] = lambda: None,
) -> dict[str, int]:
    """Drop everything that was counted before, in all workers; say how much that was.

    What workers hold is waited for, up to `patience` seconds, as they hand it over by
    themselves: so nothing that ended before the call is counted after it. Raises `StoreError`.
    """
    since = clock()
    # This process may be one that would not hand over by itself for a while.
    flush()
    missing = _await_workers(view, since, until=since + patience, clock=clock)
    dropped = _drop(view.store, lambda rows: [row.id for row in rows], now=clock())
    return {"dropped_buckets": dropped, "workers_missed": missing}


def _await_workers(
    view: MetricsView, since: float, *, until: float, clock: Callable[[], float]
) -> int:
    """Wait for a beat of every process after `since`; return how many gave none."""
    # A beat that is later says that all up to it was appended.
    while True:
        now = clock()
        beats = view.processes(now=now)
        missing = sum(beat.seen_at <= since and not _has_ended(beat) for beat in beats)
        if not missing or now >= until:
            return missing
        native.sleep(_PAUSE)


def _has_ended(beat: Beat) -> bool:
    return beat.host == socket.gethostname() and not leases.is_alive(beat.pid)


def _drop(store: Store, choose: Chosen, *, now: float) -> int:
    """Drop rows for good; the leader may replace some of them meanwhile."""
    for _ in range(_ATTEMPTS):
        with store.reading() as reader:
            ids = choose(reader.rows())
        if not ids:
            return 0
        with _epoch(store, now) as epoch:
            if store.replace(ids, None, keeps_series=False, epoch=epoch) is not None:
                return len(ids)
    raise StoreError("the leader was at work all the time; try again")


@contextmanager
def _epoch(store: Store, now: float) -> Iterator[int]:
    """Give the right to write: that of the leader, or one's own where nobody leads."""
    with store.reading() as reader:
        lease = reader.lease(LEADER)
    if lease is not None:
        yield lease.epoch
        return
    holder = f"maintenance:{uuid.uuid4().hex}"
    taken = store.acquire(
        LEADER,
        holder=holder,
        host=socket.gethostname(),
        pid=os.getpid(),
        ttl=_LEASE_TTL,
        now=now,
    )
    try:
        yield -1 if taken is None else taken.epoch
    finally:
        store.release(LEADER, holder=holder)
