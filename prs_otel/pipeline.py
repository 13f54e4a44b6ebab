"""The one composition root: build the stages of the data path and tie them to the process.

``activate`` instruments, ``serve`` says that this process may lead, ``flush`` hands over what was
counted and ``shutdown`` the last of it. Each is idempotent. A fork is followed by itself where
CPython runs the hooks; under uWSGI call ``prs_otel.postfork`` as its documentation says.
"""

from __future__ import annotations

import atexit
import os
import time
from typing import TYPE_CHECKING

from django.core.signals import setting_changed

from prs_otel import conf, distribution, guard, native, process
from prs_otel.background import Background
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
from prs_otel.store.base import StoreError
from prs_otel.worker import Worker

if TYPE_CHECKING:
    from prs_otel.leader import Start
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
        self.worker.publisher.on_delta = guard.guarded("slow_log")(self.slow_log.write)
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


_current: Pipeline | None = None
_pid = 0
_starts: list[Start] = []
_making = native.new_rlock()  # protects the making and starting of the one pipeline


is_test_run = process.is_test_run


def is_enabled() -> bool:
    """Tell whether ``MONITORING_SETTINGS["ENABLED"]`` leaves the package switched on."""
    return conf.current().enabled


def current() -> Pipeline:
    """Return this process's pipeline, made (but not started) when there is none."""
    global _current, _pid
    # Where a fork did not run the hooks, as uWSGI's.
    postfork()
    pipeline = _current
    if pipeline is None:
        with _making:
            pipeline = _current
            if pipeline is None:
                _pid = os.getpid()
                pipeline = _current = Pipeline(conf.current(), _starts)
    return pipeline


def activate() -> None:
    """Instrument this process and start handing over what it counts."""
    if not is_enabled() or is_test_run():
        return
    # Whoever comes second builds its handlers once everything is instrumented.
    with _making:
        pipeline = current()
        if not pipeline.is_started:
            pipeline.start()
            atexit.unregister(shutdown)
            atexit.register(shutdown)
            process.finish_by_multiprocessing(shutdown)


def serve(*, is_dedicated: bool = False) -> None:
    """Note that this process may lead: it answers requests, or is dedicated to leading."""
    activate()
    pipeline = _current
    if pipeline is not None:
        pipeline.worker.is_dedicated = is_dedicated
        pipeline.worker.may_lead = True
        pipeline.background.wake()


def follow_provider() -> None:
    """Measure through the tracer provider that the application has set after us."""
    pipeline = _current
    if pipeline is not None and pipeline.is_started:
        pipeline.follow_provider()


def _follow_settings(*, setting: str, **_: object) -> None:
    """Let ``override_settings`` have its effect, once `conf` has read the settings anew."""
    global _current
    if setting not in conf.SOURCES:
        return
    with _making, guard.guarded("pipeline.settings"):
        pipeline = _current
        if pipeline is None:
            return
        if pipeline.is_started:
            pipeline.processor.thresholds = Thresholds.of(conf.current())
        else:
            _current = None
            pipeline.store.close()


setting_changed.connect(_follow_settings)


def on_lead(start: Start) -> None:
    """Call ``start(lease)`` whenever this process becomes leader; what it returns ends it."""
    _starts.append(start)


def flush(timeout: float = SHUTDOWN_TIMEOUT) -> bool:
    """Hand over now what this process has counted; tell whether it was within ``timeout``."""
    pipeline = _current
    return pipeline is not None and pipeline.flush(timeout)


def follow_changes() -> None:
    """Put in force now what was changed at run time; a store out of order changes nothing."""
    try:
        current().follow_changes()
    except StoreError as error:
        guard.tolerated("pipeline.follow", error)


def shutdown() -> None:
    """Hand over the last of it; nothing is recorded afterwards."""
    global _current
    if _current is not None and _pid == os.getpid():
        with guard.guarded("pipeline.shutdown"):
            _current.finish()
        _current = None


def postfork() -> None:
    """Begin anew in a forked child. Never raises."""
    global _pid
    if _current is not None and _pid != os.getpid():
        _pid = os.getpid()
        with guard.guarded("pipeline.postfork"):
            _current.revive()
            process.finish_by_multiprocessing(shutdown)


def _follow_into_child() -> None:
    global _making
    # Perhaps held by a thread of the parent, which the child has not.
    _making = native.new_rlock()
    postfork()


def _note_fork() -> None:
    if _current is not None:
        _current.worker.has_forked = True


os.register_at_fork(after_in_child=_follow_into_child, after_in_parent=_note_fork)


def view() -> MetricsView:
    """Return the merged view of all workers."""
    return current().view


def store() -> Store:
    """Return the store that all workers of the project share."""
    return current().store
