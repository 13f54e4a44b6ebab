"""Hold back the spans of a trace that was not sampled until it is known whether it matters.

Whether a trace is slow or has failed is known when it ends, long after a sampler had to decide.
So the spans of a trace that is not to be exported wait until its local roots have ended, and a
little longer; if by then anybody has found something slow or failed in it, they are exported after
all. What may wait is bounded, and what was given up of a trace that mattered is counted.
"""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

if TYPE_CHECKING:
    from prs_otel.observation import Observation

SPANS_OF_A_TRACE: Final = 1_000
SPANS: Final = 5_000
"""Spans that wait, of all traces."""
TRACES: Final = 1_000
ENDED_TRACES: Final = 50
"""Traces that are remembered after their end, for spans and findings that come late."""

Span = TypeVar("Span")


class _Trace(Generic[Span]):
    """One trace, as far as it runs in this process."""

    __slots__ = ("is_kept", "lost", "roots", "spans")

    def __init__(self) -> None:
        self.roots = 0
        self.is_kept = False
        self.spans: list[Span] = []
        self.lost = 0


class Keeping(Generic[Span]):
    """The traces of one process that were not sampled; `emit` exports a span.

    Thread-safe; no call waits for anything but another such call. After a fork the child
    `forget`s.
    """

    def __init__(self, emit: Callable[[Span], object]) -> None:
        self._emit = emit
        self.lost = 0
        self.forget()

    def forget(self) -> None:
        """Begin anew: what waits is the parent process's."""
        self._lock = threading.Lock()
        self._running: dict[int, _Trace[Span]] = {}
        self._ended: OrderedDict[int, _Trace[Span]] = OrderedDict()
        self._waiting = 0

    def begin(self, trace_id: int) -> None:
        """Note that a local root has begun."""
        with self._lock:
            trace = self._running.get(trace_id) or self._ended.pop(trace_id, None)
            if trace is None:
                if len(self._running) >= TRACES:
                    return
                trace = _Trace()
            self._running[trace_id] = trace
            trace.roots += 1

    def add(self, trace_id: int, span: Span) -> None:
        """Take a span that has ended: to wait, or to be exported if its trace is kept."""
        with self._lock:
            trace = self._find(trace_id)
            if trace is None:
                return
            if not trace.is_kept:
                self._hold(trace, span)
                return
        self._emit(span)

    def end(self, trace_id: int) -> None:
        """Note that a local root has ended, and been added."""
        with self._lock:
            trace = self._running.get(trace_id)
            if trace is None:
                return
            trace.roots -= 1
            if trace.roots <= 0:
                self._ended[trace_id] = self._running.pop(trace_id)
            while len(self._ended) > ENDED_TRACES:
                self._forget_oldest()

    def keep(self, trace_id: int) -> None:
        """Export what waits of a trace, and all that is still to come."""
        with self._lock:
            trace = self._find(trace_id)
            if trace is None:
                self.lost += 1
                return
            trace.is_kept = True
            spans, trace.spans = trace.spans, []
            self._waiting -= len(spans)
            self.lost += trace.lost
            trace.lost = 0
        for span in spans:
            self._emit(span)

    def _find(self, trace_id: int) -> _Trace[Span] | None:
        return self._running.get(trace_id) or self._ended.get(trace_id)

    def _hold(self, trace: _Trace[Span], span: Span) -> None:
        if trace.roots > 0:
            # What has ended makes room for what goes on.
            while self._waiting >= SPANS and self._ended:
                self._forget_oldest()
        if len(trace.spans) < SPANS_OF_A_TRACE and self._waiting < SPANS:
            trace.spans.append(span)
            self._waiting += 1
        else:
            trace.lost += 1

    def _forget_oldest(self) -> None:
        _, oldest = self._ended.popitem(last=False)
        self._waiting -= len(oldest.spans)


_enlisted: tuple[Keeping[Any], ...] = ()
_undelivered = 0
_counting = threading.Lock()


def enlist(keeping: Keeping[Any]) -> None:
    """Let `keeping` hear which traces matter, for as long as the process lives."""
    global _enlisted
    _enlisted = (*_enlisted, keeping)
    os.register_at_fork(after_in_child=keeping.forget)


def dismiss(keeping: Keeping[Any]) -> None:
    """Tell `keeping` no more."""
    global _enlisted
    _enlisted = tuple(each for each in _enlisted if each is not keeping)


def judged(observation: Observation) -> Observation:
    """Have the trace of what is slow or failed exported, and name none that nobody has.

    For what was not sampled.
    """
    if observation.is_slow or observation.is_error:
        for each in _enlisted:
            each.keep(observation.trace_id)
    elif _enlisted:
        return observation._replace(trace_id=0, span_id=0)
    return observation


def _begin_anew() -> None:
    global _undelivered, _counting
    _undelivered, _counting = 0, threading.Lock()


os.register_at_fork(after_in_child=_begin_anew)


def note_undelivered(count: int) -> None:
    """Count spans that were to be exported and could not be. Thread-safe."""
    global _undelivered
    with _counting:
        _undelivered += count


def lost() -> int:
    """Return how many spans are missing: not held back for long enough, or not delivered."""
    return _undelivered + sum(each.lost for each in _enlisted)
