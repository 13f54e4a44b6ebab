"""What only one process of a store does: age the buckets, read the host, run the evaluator.

The store's lease elects it. Everything here belongs to the background thread of a process that
serves; a process that dies is succeeded as soon as the store sees its pid gone or its lease run out.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable
from typing import TYPE_CHECKING

from prs_otel import native
from prs_otel.guard import guarded, tolerated
from prs_otel.rollup import lifetime, retention
from prs_otel.rollup.compaction import Compactor
from prs_otel.schedule import Every
from prs_otel.store.base import Beat, Lease, Store, StoreError

if TYPE_CHECKING:
    from prs_otel.plan import Plan
    from prs_otel.rollup.view import MetricsView

logger = logging.getLogger("prs_otel")

LEASE = "leader"
LEASE_TTL = 10.0
ROLLING_WINDOW = 86_400.0

Stop = Callable[[], None]
Start = Callable[[Lease], Stop]

_FORGET_BEATS_AFTER = 3_600.0
_LIFETIME_PATIENCE = 6
"""Compactions that are put off, in a row, because the lifetime could not be written."""
_BREATH = 0.002
"""Seconds between two merges, in which request threads get the interpreter."""


def breathe() -> None:
    """Let a thread run that waits for the interpreter."""
    native.sleep(0)


class Leadership:
    """Take and keep the lease, and do the leader's work while it is held."""

    def __init__(self, view: MetricsView, plan: Plan, *, beat: Beat) -> None:
        self._view = view
        self._store: Store = view.store
        self._plan = plan
        self._me = beat
        self._compactor = Compactor.of(self._store, plan, breathe=breathe)
        self._compaction = Every(10.0)
        self._rolling = Every(60.0)
        self._tidying = Every(600.0)
        self.starts: list[Start] = []
        self._stops: list[Stop] = []
        self._started = 0
        self._failures = 0
        self.lease: Lease | None = None

    def follow(self, plan: Plan) -> None:
        """Work by another plan from now on."""
        self._plan = plan
        self._compactor = Compactor.of(self._store, plan, breathe=breathe)

    def on_lead(self, start: Start) -> None:
        """Call ``start`` whenever this process becomes leader; what it returns ends it.

        Callable from any thread; a leader calls it within its next few seconds.
        """
        self.starts.append(start)

    def contend(self, now: float) -> bool:
        """Take or renew the lease; tell whether this process leads. Raises ``StoreError``."""
        lease = self._store.acquire(
            LEASE,
            holder=self._me.worker,
            host=self._me.host,
            pid=self._me.pid,
            ttl=LEASE_TTL,
            now=now,
        )
        if lease is None or (
            self.lease is not None and lease.epoch != self.lease.epoch
        ):
            self._stand_down()
        if lease is not None and self.lease is None:
            logger.info("Worker %d leads on %s", lease.pid, lease.host)
        self.lease = lease
        if lease is not None:
            self._start_waiting(lease)
        return lease is not None

    def work(self, now: float) -> None:
        """Do what is due; raises ``StoreError``."""
        if self.lease is None:
            return
        if self._compaction.is_due(now):
            has_coarsened = self._compact(now, self.lease.epoch)
            if self._rolling.is_due(now) or has_coarsened:
                self._roll(now, self.lease.epoch)
        if self._tidying.is_due(now):
            self._store.forget(
                texts_before=now - self._plan.retention_seconds,
                beats_before=now - _FORGET_BEATS_AFTER,
            )

    def resign(self) -> None:
        """Give up the lease so that another process need not wait for it to run out."""
        if self.lease is not None:
            self._stand_down()
            self._store.release(LEASE, holder=self._me.worker)

    def _compact(self, now: float, epoch: int) -> bool:
        """Merge what is due; tell whether that went beyond the deltas.

        Then the rolling total is written anew, because readers cannot follow the merge of
        buckets of which it contains a part.
        """
        has_coarsened = False
        self._view.slide(now=now)
        up_to = self._advance(epoch)
        for replacement in self._compactor.compact(now=now, epoch=epoch, up_to=up_to):
            self._view.follow(replacement)
            has_coarsened = has_coarsened or replacement.level > retention.LEVELS[0]
            native.sleep(_BREATH)
        self._store.evict(quota_bytes=self._plan.quota_bytes)
        return has_coarsened

    def _advance(self, epoch: int) -> float:
        """Bring the lifetime up to date; return up to which row that lets deltas go.

        It cannot hold the deltas back for ever: they are small, but so many.
        """
        try:
            up_to = lifetime.advance(
                self._store, self._plan, epoch=epoch, breathe=breathe
            )
        except StoreError as error:
            self._failures += 1
            if self._failures < _LIFETIME_PATIENCE:
                raise
            tolerated("leader.lifetime", error)
            return math.inf
        self._failures = 0
        return up_to

    def _roll(self, now: float, epoch: int) -> None:
        ids, cells = self._view.rolling(ROLLING_WINDOW, now=now)
        if ids:
            self._store.write_rolling(ids, cells, epoch=epoch)

    def _start_waiting(self, lease: Lease) -> None:
        while self._started < len(self.starts):
            start = self.starts[self._started]
            self._started += 1
            with guarded("leader.start"):
                self._stops.append(start(lease))

    def _stand_down(self) -> None:
        self.lease = None
        self._started = 0
        stops, self._stops = self._stops, []
        for stop in stops:
            with guarded("leader.stop"):
                stop()
