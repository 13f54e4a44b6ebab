"""Run one step again and again on a thread of the interpreter's own.

A real thread also under gevent: a greenlet would stand still while a request blocks the
hub, and hold up all requests while it works.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from prs_otel import guard, native

if TYPE_CHECKING:
    from _thread import LockType

_LONGEST_PAUSE: Final = 3_600.0
_AFTER_FAILURE: Final = 5.0


def _nothing() -> float:
    return 0.0


class Background:
    """Call `step` until stopped, pausing for the seconds that it returns; then `last`.

    The thread ends with the process and does not survive a fork: a child starts its
    own. `step` never runs twice at the same time.
    """

    def __init__(
        self,
        name: str,
        step: Callable[[], float],
        *,
        last: Callable[[], float] = _nothing,
    ) -> None:
        self._name = name
        self._step = step
        self._last = last
        self._pid = 0
        self._prepare()

    @property
    def is_alive(self) -> bool:
        """Tell whether the thread runs in this process."""
        return self._pid == os.getpid() and self._is_running

    def start(self) -> None:
        """Start the thread, unless it runs already; raises `RuntimeError` where none can be."""
        if self.is_alive:
            return
        self._prepare()
        self._pid = os.getpid()
        self._is_running = True
        try:
            self._ident = native.start_new_thread(self._run, ())
        except RuntimeError:
            self._is_running = False
            raise

    def wake(self) -> None:
        """Cut the current pause short; while a step runs, have another follow at once."""
        # Two callers may both find the bell silent: then it is rung once.
        if self._bell.locked():
            try:
                self._bell.release()
            except RuntimeError:
                return

    def run(self, timeout: float) -> bool:
        """Have a whole step run from now on; return whether it did within `timeout` seconds."""
        done = native.allocate_lock()
        done.acquire()
        self._awaited.append(done)
        self.wake()
        return self.is_alive and done.acquire(True, max(timeout, 0.0))

    def stop(self, timeout: float) -> bool:
        """End after the current step; return whether that was within `timeout` seconds."""
        self._is_stopping = True
        if not self.is_alive or self._ident == native.get_ident():
            return True
        self.wake()
        has_ended = self._end.acquire(True, max(timeout, 0.0))
        if has_ended:
            self._end.release()
        return has_ended

    def _prepare(self) -> None:
        # Locks of a parent process may be held by a thread that the child has not.
        self._bell = native.allocate_lock()
        self._bell.acquire()
        self._end = native.allocate_lock()
        self._end.acquire()
        self._awaited: deque[LockType] = deque()
        self._ident = 0
        self._is_running = self._is_stopping = False

    def _run(self) -> None:
        try:
            while not self._is_stopping:
                awaited = len(self._awaited)
                pause = self._attempt(self._step)
                for _ in range(awaited):
                    self._awaited.popleft().release()
                if not self._is_stopping:
                    self._bell.acquire(True, min(max(pause, 0.0), _LONGEST_PAUSE))
            self._attempt(self._last)
        finally:
            self._is_running = False
            self._end.release()

    def _attempt(self, task: Callable[[], float]) -> float:
        try:
            return task()
        except Exception:  # noqa: BLE001 - the guard logs and counts it
            guard.failed(f"background.{self._name}")
        except BaseException as error:  # noqa: BLE001 - an exit or a timeout is a failure too
            # Nobody is above this thread to make use of it, and it would end in silence.
            failure = RuntimeError(f"{self._name} was interrupted by {error!r}")
            guard.tolerated(f"background.{self._name}", failure)
        return _AFTER_FAILURE
