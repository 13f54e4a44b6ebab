"""One process's share of the work: flush what it counted, read its gauges, lead if it may.

A worker lives from a process's start or fork to its end; a fork makes a new one. Its background
thread calls :meth:`Worker.step`.
"""

from __future__ import annotations

import os
import socket
import time
import uuid
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from prs_otel import circumstances, guard, keeping, memory, service
from prs_otel.instrumentation import database, opened, system
from prs_otel.instrumentation.cache_usage import SHARED, CacheUsage
from prs_otel.leader import Leadership
from prs_otel.publisher import Publisher, Texts
from prs_otel.rollup import labelled, series
from prs_otel.rollup.view import REVISION, SERVES
from prs_otel.schedule import Every
from prs_otel.semconv import DB_CLIENT_CONNECTION_COUNT
from prs_otel.store import reset
from prs_otel.store.base import Beat, Store, StoreError

if TYPE_CHECKING:
    from prs_otel.plan import Plan
    from prs_otel.rollup.recorder import Rollup
    from prs_otel.rollup.view import MetricsView

_CONTEND_EVERY = 2.0
_LOOK_EVERY = 1.0
"""Seconds between two looks for what was decided elsewhere; a reset waits for longer."""
_SHORTEST_PAUSE = 0.05
_IDLE_PAUSE = 0.25


class Worker:
    """Do one process's background work on one store."""

    def __init__(
        self, store: Store, view: MetricsView, rollup: Rollup, texts: Texts, plan: Plan
    ) -> None:
        now = time.time()
        beat = Beat(
            worker=uuid.uuid4().hex,
            host=socket.gethostname(),
            pid=os.getpid(),
            started_at=now,
            seen_at=now,
            figures={},
            failures={},
        )
        self._began = time.monotonic()
        self.may_lead = False
        self.is_dedicated = False
        self.has_forked = False
        self.beat = beat
        self._view, self._rollup, self._plan = view, rollup, plan
        self.publisher = Publisher(rollup, store, texts, beat=beat)
        self.leadership = Leadership(view, plan, beat=beat)
        self._flushing = Every(plan.flush_interval)
        self._contending = Every(_CONTEND_EVERY)
        self._gauging = Every(plan.system_metrics_interval)
        self._host_gauging = Every(plan.system_metrics_interval)
        self._looking = Every(_LOOK_EVERY)
        self._cache_usage = CacheUsage(time.monotonic)
        self._figures: dict[str, float] = {}
        self._reset_at = 0.0
        self.follow_changes: Callable[[], None] = lambda: None
        self.revision = 0
        self._is_urgent = False

    def step(self) -> float:
        """Do what is due and return the seconds until something is again."""
        is_urgent, self._is_urgent = self._is_urgent, False
        if is_urgent:
            self._flushing = Every(self._plan.flush_interval)
        elif self._may_fork_any_moment():
            # Else the next delta would reach back over all the time that nothing happened.
            self._rollup.postpone(time.time())
            self._attempt("worker.resign", self.leadership.resign)
            return _IDLE_PAUSE
        now = time.time()
        self._attempt("worker.look", self._look, now)
        self._attempt("worker.lead", self._lead, now)
        self._attempt("worker.gauges", self._read_gauges, now)
        self._attempt("worker.flush", self._flush, now)
        now = time.time()
        due = (self._flushing, self._gauging, self._looking)
        pauses = [each.remaining(now) for each in due]
        if self.serves:
            pauses.append(self._contending.remaining(now))
        return max(min(pauses), _SHORTEST_PAUSE)

    def follow(self, plan: Plan, *, revision: int) -> None:
        """Work by another plan from now on; belongs to the background thread."""
        self._plan, self.revision = plan, revision
        self.leadership.follow(plan)
        self._flushing.interval = plan.flush_interval
        self._gauging.interval = plan.system_metrics_interval
        self._host_gauging.interval = plan.system_metrics_interval

    def hurry(self) -> None:
        """Let the next step hand over what was counted, whether or not that is due."""
        self._is_urgent = True

    def finish(self) -> float:
        """Hand over the last of it and make way for another leader: nothing is due any more."""
        self._attempt("worker.finish", self._say_farewell, time.time())
        self._attempt("worker.resign", self.leadership.resign)
        return 0.0

    def sample_host(self) -> None:
        """Read the host and hand that over at once, in a process that does not stay.

        Takes a tenth of a second; raises `StoreError`.
        """
        if self._plan.tracks_system:
            self._note_host(time.time())
            self._say_farewell(time.time())

    @property
    def serves(self) -> bool:
        """Tell whether this process answers requests, which is what makes it electable.

        A pre-fork master that has built the handler only for its children to inherit does not:
        it has forked and has not answered a request. One that is dedicated to leading need not
        answer any.
        """
        is_proven = (
            self.is_dedicated or self.publisher.has_served or not self.has_forked
        )
        return self.may_lead and is_proven

    def _may_fork_any_moment(self) -> bool:
        """Tell whether this looks like a pre-fork master, whose forks must find us idle.

        What this thread is in the middle of, such as an import or a lock of a library's,
        would stay half done in the child for ever. So it does nothing in the first seconds of
        a process, nor after a fork while there is nothing to hand over, until a request shows
        that the process serves itself.
        """
        if self.publisher.has_served or self._rollup.has_requests:
            return False
        if time.monotonic() - self._began < self._plan.settling_seconds:
            return True
        return self.has_forked and not self.is_dedicated and self._rollup.is_empty

    def _flush(self, now: float) -> None:
        if self._flushing.is_due(now):
            self._flush_now(now)

    def _flush_now(self, now: float) -> None:
        self.publisher.flush(now, figures=self._all_figures(), failures=guard.report())
        if self._view.forget_idle(now=now):
            memory.give_back()

    def _say_farewell(self, now: float) -> None:
        self.publisher.flush(now, figures={SERVES: 0.0}, failures=guard.report())

    def _look(self, now: float) -> None:
        """Follow what was changed; begin a new delta, at once, where counting is anew."""
        if not self._looking.is_due(now):
            return
        self.follow_changes()
        reset_at = reset.decode(self._view.store.get(reset.DOCUMENT))
        if reset_at != self._reset_at:
            self._reset_at = reset_at
            self._flushing = Every(self._plan.flush_interval)

    def _lead(self, now: float) -> None:
        if not self.serves:
            self.leadership.resign()
        elif self._contending.is_due(now) and self.leadership.contend(now):
            self.leadership.work(now)

    def _read_gauges(self, now: float) -> None:
        leads = self.leadership.lease is not None
        if self._gauging.is_due(now):
            self._figures = self._process_figures(leads=leads)
            self._note_shared_caches(now)
            self._note_version(now)
        if self._plan.tracks_system and leads and self._host_gauging.is_due(now):
            self._note_host(now)

    def _note_host(self, now: float) -> None:
        for name, value in self._host_gauges(now).items():
            self._rollup.gauge(name, value, (self.beat.host,), now)

    def _note_shared_caches(self, now: float) -> None:
        """Let rules read what a server's cache holds; what each process has is no one value."""
        for name in series.CACHE_GAUGES:
            for (alias, scope), value in labelled.parts(self._figures, name).items():
                if scope == SHARED:
                    self._rollup.gauge(name, value, (self.beat.host, alias), now)

    def _note_version(self, now: float) -> None:
        version = service.version() if self.serves else None
        if version is not None:
            self._rollup.gauge(series.VERSION_GAUGE, 1.0, (version,), now)

    def _process_figures(self, *, leads: bool) -> dict[str, float]:
        figures: dict[str, float] = {}
        if self._plan.tracks_system:
            by_alias = opened.figures()
            # Of the same moment: a pool may grow at any.
            counts = labelled.parts(by_alias, DB_CLIENT_CONNECTION_COUNT)
            figures.update(system.process_gauges(int(sum(counts.values()))))
            figures.update(by_alias)
        if self._plan.tracks_cache:
            figures.update(self._cache_usage.figures(leads=leads))
        return figures

    def _host_gauges(self, now: float) -> dict[str, float]:
        others = sum(
            beat.figures.get(DB_CLIENT_CONNECTION_COUNT, 0.0)
            for beat in self._view.processes(now=now)
            if beat.host == self.beat.host and beat.worker != self.beat.worker
        )
        host = system.host_gauges(self._plan.directory)
        return {**host, DB_CLIENT_CONNECTION_COUNT: _open_connections() + others}

    def _all_figures(self) -> Mapping[str, float]:
        return {
            **self._figures,
            **circumstances.figures(),
            "prs.monitor.dropped": float(self._rollup.dropped + self.publisher.dropped),
            "prs.monitor.overflowed": float(self._rollup.overflowed),
            "prs.monitor.backlog": float(self.publisher.backlog),
            "prs.monitor.lost_spans": float(keeping.lost()),
            "prs.monitor.overhead": self._overhead(),
            REVISION: float(self.revision),
            SERVES: float(self.serves),
        }

    def _overhead(self) -> float:
        alive = max(time.time() - self.beat.started_at, 1.0)
        return time.thread_time() / alive

    def _attempt(
        self, where: str, task: Callable[..., None], *arguments: float
    ) -> None:
        """Run a task; a store that is out of order is expected to come back, and told once."""
        try:
            task(*arguments)
        except StoreError as error:
            guard.tolerated(where, error)
        except Exception:  # noqa: BLE001 - the guard logs and counts it
            guard.failed(where)


def _open_connections() -> int:
    return sum(database.open_connections().values())
