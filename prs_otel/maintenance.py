"""Tidy the store at somebody's request, and say in numbers what was done.

Each action is one transaction after another of the store's own, so that workers go on appending and
readers see either the state before or the one after. All raise ``StoreError``.
"""

from __future__ import annotations

import os
import socket
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from prs_otel.rollup import lifetime
from prs_otel.rollup.compaction import Compactor
from prs_otel.store import lease as leases
from prs_otel.store.base import LEADER

if TYPE_CHECKING:
    from prs_otel.plan import Plan
    from prs_otel.rollup.view import MetricsView
    from prs_otel.store.base import Beat, Lease, Store

FORGET_BEATS_AFTER: Final = 3_600.0
"""Seconds after which a process that says nothing is dropped from the store."""
PATIENCE: Final = 2.5
"""Seconds a reset waits for workers, who look for one every second."""

_LEASE_TTL: Final = 10.0
_MOST_ROUNDS: Final = 200
_LOOK_EVERY: Final = 0.02


@dataclass(frozen=True, slots=True)
class Cleaned:
    """What a cleanup dropped for being too old or beyond the quota; bytes are those of buckets."""

    expired_buckets: int
    evicted_buckets: int
    removed_bytes: int
    removed_queries: int
    removed_processes: int


@dataclass(frozen=True, slots=True)
class Reset:
    """What was dropped, and since when (epoch seconds) counting is anew.

    What the `missed` among the processes count until they have heard of it is dropped too.
    """

    since: float
    removed_buckets: int
    removed_bytes: int
    processes: int
    missed: int


@dataclass(frozen=True, slots=True)
class Compacted:
    """How many buckets were merged, into how many, and by how many bytes that made them smaller."""

    merged_buckets: int
    resulting_buckets: int
    freed_bytes: int


def cleanup(store: Store, plan: Plan, now: float) -> Cleaned:
    """Drop what is older than the retention or beyond the quota, and who has long been silent."""
    since = now - plan.retention_seconds
    expired = store.expire(ended_before=since)
    forgotten = store.forget(texts_before=since, beats_before=now - FORGET_BEATS_AFTER)
    evicted = store.evict(quota_bytes=plan.quota_bytes)
    return Cleaned(
        expired_buckets=expired.buckets,
        evicted_buckets=evicted.buckets,
        removed_bytes=expired.size + evicted.size,
        removed_queries=forgotten.texts + evicted.texts,
        removed_processes=forgotten.workers,
    )


def reset_counters(
    view: MetricsView,
    *,
    now: float,
    patience: float = PATIENCE,
    flush: Callable[[], object] = lambda: None,
) -> Reset:
    """Let every window of every process start from zero.

    Nothing that ended before the call counts afterwards, and all that begins after it does: once
    the moment is marked in the store, each process is waited for, up to `patience` seconds, to
    begin a new delta. What ends in between may go with the old one.
    """
    removed = view.store.reset(at=now)
    flush()
    processes, missed = _await_processes(view, now, patience=patience)
    return Reset(
        since=now,
        removed_buckets=removed.buckets,
        removed_bytes=removed.size,
        processes=processes,
        missed=missed,
    )


@contextmanager
def leading(
    store: Store, *, now: float, ttl: float = _LEASE_TTL
) -> Iterator[Lease | None]:
    """Hold the leader's lease for at most `ttl` seconds; None where somebody else holds it."""
    me = uuid.uuid4().hex
    lease = store.acquire(
        LEADER,
        holder=me,
        host=socket.gethostname(),
        pid=os.getpid(),
        ttl=ttl,
        now=now,
    )
    try:
        yield lease
    finally:
        store.release(LEADER, holder=me)


def holder(store: Store) -> Lease | None:
    """Return the lease of the leader, None where nobody leads."""
    with store.reading() as reader:
        return reader.lease(LEADER)


def compact(store: Store, plan: Plan, now: float) -> Compacted:
    """Merge the buckets that are due, beside a leader or in place of one.

    The store refuses a merge of which a bucket has gone, so nothing is counted twice.
    """
    merged = into = 0
    before = _size(store)
    with leading(store, now=now) as lease:
        epoch = _epoch(store) if lease is None else lease.epoch
        compactor = Compactor.of(store, plan)
        for _ in range(_MOST_ROUNDS):
            up_to = lifetime.advance(store, plan, epoch=epoch)
            done = list(compactor.compact(now=now, epoch=epoch, up_to=up_to))
            if not done:
                break
            merged += sum(len(each.old) for each in done)
            into += len(done)
    return Compacted(merged, into, max(0, before - _size(store)))


def _await_processes(
    view: MetricsView, since: float, *, patience: float
) -> tuple[int, int]:
    """Wait for a beat of every process after `since`; return how many came and did not."""
    deadline = time.monotonic() + patience
    while True:
        beats = [beat for beat in view.processes(now=since) if not _has_ended(beat)]
        missed = sum(beat.seen_at <= since for beat in beats)
        if not missed or time.monotonic() >= deadline:
            return len(beats) - missed, missed
        # Not the native sleep: under gevent other requests of this worker go on meanwhile.
        time.sleep(_LOOK_EVERY)


def _has_ended(beat: Beat) -> bool:
    return beat.host == socket.gethostname() and not leases.is_alive(beat.pid)


def _epoch(store: Store) -> int:
    lease = holder(store)
    return -1 if lease is None else lease.epoch


def _size(store: Store) -> int:
    with store.reading() as reader:
        return sum(row.size for row in reader.rows())
