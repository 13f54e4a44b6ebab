"""The stages of the data path in one process, built and tied together.

Observations are recorded by the processor and the instrumentation, counted by the rollup, handed
over by the worker, and read back through the view; all of them share one store.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from prs_otel import conf, distribution, guard, native, process
from prs_otel.background import Background
from prs_otel.derived.instruments import Instruments
from prs_otel.distribution import NOTHING
from prs_otel.instrumentation import (
    cache,
    celery_tasks,
    database,
    n_plus_one,
    requests,
)
from prs_otel.leader import breathe
from prs_otel.observation import Thresholds
from prs_otel.plan import Plan
from prs_otel.processor import DerivedMetricsProcessor, attach
from prs_otel.publisher import Texts
from prs_otel.rollup.recorder import Rollup
from prs_otel.rollup.view import MetricsView
from prs_otel.slow_log import SlowLog
from prs_otel.store import open_store
from prs_otel.worker import Worker

if TYPE_CHECKING:
    from prs_otel.leader import Start
    from prs_otel.rollup.delta import Delta
    from prs_otel.store.base import Store

SHUTDOWN_TIMEOUT = 5.0
"""Seconds that the end of a process may wait for its last figures to be handed over."""
LOG_TIMEOUT = 1.0
"""Seconds more for handlers of the logger ``performance`` that are slow."""


class Pipeline:
    """The stages of one process and what runs them. Made once, revived after each fork."""

    def __init__(self, settings: conf.MonitoringSettings, starts: list[Start]) -> None:
        self.settings = settings
        self.rollup = Rollup(
            series_limit=settings.series_limit,
            new_lock=native.allocate_lock,
            now=time.time(),
        )
        self.texts = Texts()
        self.processor = DerivedMetricsProcessor(
            self.rollup.record,
            thresholds=Thresholds.of(settings),
            conclude=n_plus_one.conclude,
        )
        self.store: Store = open_store(
            settings.store or conf.default_store_url(),
            quota_bytes=settings.store_quota_mb * 1_000_000,
        )
        self.instruments = Instruments(
            limit=settings.series_limit, new_lock=native.allocate_lock
        )
        self.starts = starts
        self.is_started = False
        self.followed = NOTHING
        self._begin()

    def _begin(self) -> None:
        settings = self.settings
        plan = Plan.of(settings, directory=conf.project_directory())
        self.view = MetricsView(
            self.store,
            series_limit=settings.series_limit,
            new_lock=native.allocate_lock,
            beat_ttl=plan.beat_ttl,
            breathe=breathe,
        )
        self.worker = Worker(self.store, self.view, self.rollup, self.texts, plan)
        self.slow_log = SlowLog(
            thresholds=lambda: self.processor.thresholds, text=self.texts.text
        )
        self.worker.follow_changes = self.follow_changes
        self.worker.revision = self.followed.revision
        self.worker.publisher.on_delta = self._tell
        self.worker.leadership.starts = self.starts
        self.background = Background(
            "prs-otel", self.worker.step, last=self.worker.finish
        )

    def start(self) -> None:
        """Attach to the tracer provider, to requests, queries and caches, and begin to flush."""
        self.is_started = True
        self._instrument()
        if not process.is_about_to_fork():
            self.background.start()

    def follow_provider(self) -> None:
        """Measure through the tracer provider that is set now, in place of another."""
        with guard.guarded("pipeline.attach"):
            attach(self.processor)
        with guard.guarded("pipeline.requests"):
            requests.retrace()
        with guard.guarded("pipeline.database"):
            self._observe_queries()

    def follow_changes(self) -> None:
        """Put in force what was changed at run time. Raises ``StoreError``.

        A store that has lost the document changes nothing: the leader will publish it again.
        """
        found = distribution.distributed(self.store)
        if found is None or found == self.followed:
            return
        self.followed = found
        conf.change(found.changes)
        self.settings = settings = conf.current()
        plan = Plan.of(settings, directory=conf.project_directory())
        self.processor.thresholds = Thresholds.of(settings)
        self.view.beat_ttl = plan.beat_ttl
        self.worker.follow(plan, revision=found.revision)

    def _tell(self, delta: Delta) -> None:
        """Log and export what has just been sealed."""
        with guard.guarded("slow_log"):
            self.slow_log.write(delta)
        with guard.guarded("derived"):
            self.instruments.add(delta)

    def _instrument(self) -> None:
        # One that fails must not take the others with it.
        with guard.guarded("pipeline.attach"):
            attach(self.processor)
        with guard.guarded("pipeline.requests"):
            requests.instrument(
                record=self.rollup.record,
                thresholds=lambda: self.processor.thresholds,
                tenant=conf.tenant_resolver(),
                count=self.rollup.count,
            )
        with guard.guarded("pipeline.database"):
            self._observe_queries()
        with guard.guarded("pipeline.cache"):
            if self.settings.track_cache:
                cache.install(record=self.rollup.record_cache)
        with guard.guarded("pipeline.celery"):
            celery_tasks.install()

    def _observe_queries(self) -> None:
        database.install(
            thresholds=lambda: self.processor.thresholds,
            remember=self.texts.remember,
        )

    def revive(self) -> None:
        """Begin anew in a forked child: the parent counts its own and keeps its handles."""
        before = self.worker
        guard.reset()
        self.rollup.reset(time.time())
        self.store.forget_connections()
        self.texts.forget_told()
        self.processor.tasks.forget()
        self.instruments.begin()
        self._begin()
        self.worker.may_lead = before.may_lead
        # A child of a process that answers requests is its helper, until it answers one itself.
        self.worker.has_forked = before.publisher.has_served
        if self.is_started:
            self.background.start()

    def flush(self, timeout: float) -> bool:
        """Have the background thread hand over what was counted; tell whether it did in time."""
        self.worker.hurry()
        return self.background.run(timeout)

    def finish(self) -> None:
        """Have the background thread hand over what is left, and end it."""
        if not self.background.is_alive:
            self.worker.finish()
        elif not self.background.stop(SHUTDOWN_TIMEOUT):
            reason = TimeoutError("the last figures could not be handed over in time")
            guard.tolerated("pipeline.shutdown", reason)
            return
        self.slow_log.stop(LOG_TIMEOUT)
        self.store.close()
