"""The one composition root: one pipeline per process, made once and tied to its life.

``activate`` instruments, ``serve`` says that this process may lead, ``flush`` hands over what was
counted and ``shutdown`` the last of it. Each is idempotent. A fork is followed by itself where
CPython runs the hooks; under uWSGI call ``prs_otel.postfork`` as its documentation says.
"""

from __future__ import annotations

import atexit
import os
from typing import TYPE_CHECKING

from django.core.signals import setting_changed

from prs_otel import conf, guard, native, process
from prs_otel.observation import Thresholds
from prs_otel.stages import SHUTDOWN_TIMEOUT, Pipeline
from prs_otel.store.base import StoreError

if TYPE_CHECKING:
    from prs_otel.leader import Start
    from prs_otel.rollup.view import MetricsView
    from prs_otel.store.base import Store

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
