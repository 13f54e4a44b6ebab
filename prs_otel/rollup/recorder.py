"""Count observations on the request thread at the cost of an append.

``record`` appends to a queue, as do ``record_cache``, ``count`` and ``gauge``. Every 64th caller folds a queue into
the open delta, under a lock that it only takes when it is free: nobody ever waits, and an
observation made while another is being folded (a signal handler, a collected generator) cannot
deadlock with itself. ``seal`` hands out what has been counted and begins anew; the background
thread calls it every few seconds.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from prs_otel.rollup import cache_call, gauge, series
from prs_otel.rollup.cells import Cells
from prs_otel.rollup.delta import Delta
from prs_otel.rollup.reservoir import Reservoir
from prs_otel.rollup.sketch import index_of

if TYPE_CHECKING:
    from _thread import LockType

    from prs_otel.observation import Observation, RequestContext
    from prs_otel.rollup.cache_call import CacheCall
    from prs_otel.rollup.cell import Cell
    from prs_otel.rollup.gauge import Gauge, Gauges
    from prs_otel.rollup.series import Labels

    _Reading = int | Gauge | CacheCall

_DRAIN_AT = 64
_QUERY = series.QUERY  # found sooner than an attribute of another module
_QUEUE_LIMIT = 65_536
_GAUGE_LIMIT = 500
_LOCK_PATIENCE = 5.0
"""Seconds a seal waits for a fold, which takes a fraction of a millisecond unless it was killed."""


class Rollup:
    """Fold the observations of this process into the open delta.

    ``record``, ``count`` and ``gauge`` may be called from any thread and never wait, never do I/O
    and never raise for lack of room: what exceeds the queue is dropped and counted in ``dropped``.
    After a fork the child must call :meth:`reset` before it records.
    """

    def __init__(
        self, *, series_limit: int, new_lock: Callable[[], LockType], now: float = 0.0
    ) -> None:
        self._series_limit = series_limit
        self._new_lock = new_lock
        self.dropped = 0
        self.overflowed = 0
        self._queue: deque[Observation] = deque()
        self._readings: deque[tuple[str, Labels, _Reading]] = deque()
        self.reset(now)

    def reset(self, now: float) -> None:
        """Begin from nothing, as a forked child must: its parent counts its own."""
        # Protects the open delta; the queues need none, a deque's ends are thread-safe.
        self._lock = self._new_lock()
        self._queue.clear()
        self._readings.clear()
        self.dropped = self.overflowed = 0
        self._open(now)

    def record(self, observation: Observation) -> None:
        """Count one observation."""
        queue = self._queue
        queue.append(observation)
        if len(queue) >= _DRAIN_AT:
            self._relieve(queue)

    def count(self, name: str, labels: Labels, amount: int) -> None:
        """Add to a plain counter."""
        self._note(name, labels, amount)

    def record_cache(self, labels: Labels, call: CacheCall) -> None:
        """Count one call of a cache; its labels are alias and operation."""
        self._note(series.CACHE, labels, call)

    def gauge(self, name: str, value: float, labels: Labels, at: float) -> None:
        """Note a reading; raises ``ValueError`` when it is not finite."""
        self._note(name, labels, gauge.reading(value, at))

    def seal(self, now: float) -> Delta | None:
        """Return what was counted since the last seal, or ``None`` when that is nothing.

        Raises ``TimeoutError`` when a thread was killed while it folded.
        """
        if not self._lock.acquire(timeout=_LOCK_PATIENCE):
            raise TimeoutError("a thread that was counting does not come to an end")
        try:
            self._drain(_QUEUE_LIMIT)
            cells, gauges, reservoir, start = (
                self._cells,
                self._gauges,
                self._reservoir,
                self._start,
            )
            self._open(now)
            samples, unfinished = reservoir.drawn(now)
            self._reservoir.keep(unfinished)
        finally:
            self._lock.release()
        self.overflowed += cells.folded
        if cells.is_empty() and not gauges and not samples:
            return None
        # A clock that was set back must not produce a delta that ends before it starts.
        return Delta(min(start, now), now, cells, samples, gauges)

    def postpone(self, now: float) -> None:
        """Let the open delta begin now, unless it holds something already; takes no lock."""
        if self.is_empty:
            self._start = now

    @property
    def has_requests(self) -> bool:
        """Tell whether a request was recorded since the last seal; takes no lock."""
        queued = any(each.kind == series.REQUEST for each in list(self._queue))
        return queued or series.REQUEST in self._cells.by_kind

    @property
    def is_empty(self) -> bool:
        """Tell whether a seal would have nothing to hand out; takes no lock."""
        return not (
            self._queue
            or self._readings
            or self._gauges
            or not self._cells.is_empty()
            or not self._reservoir.is_empty
        )

    @property
    def pending(self) -> int:
        """Return how many observations wait to be folded."""
        return len(self._queue)

    def _open(self, now: float) -> None:
        self._start = now
        self._cells = Cells(self._series_limit)
        self._gauges: Gauges = {}
        self._reservoir = Reservoir()

    def _note(self, name: str, labels: Labels, value: _Reading) -> None:
        readings = self._readings
        readings.append((name, labels, value))
        if len(readings) >= _DRAIN_AT:
            self._relieve(readings)

    def _relieve(self, queue: deque[Any]) -> None:
        if self._lock.acquire(False):
            try:
                self._drain(_DRAIN_AT)
            finally:
                self._lock.release()
        elif len(queue) > _QUEUE_LIMIT:
            # Whoever holds the lock may have emptied it since.
            with suppress(IndexError):
                queue.popleft()
                self.dropped += 1

    def _drain(self, limit: int) -> None:
        queue, fold = self._queue, self._fold
        for _ in range(min(limit, len(queue))):
            fold(queue.popleft())
        readings, fold_reading = self._readings, self._fold_reading
        for _ in range(min(limit, len(readings))):
            fold_reading(*readings.popleft())

    def _fold_reading(self, name: str, labels: Labels, value: _Reading) -> None:
        if isinstance(value, int):
            self._cells.count(name, labels, value)
        elif isinstance(value, tuple):
            cache_call.fold(self._cells, labels, value)
        else:
            reading = {(name, labels): value}
            self.dropped += gauge.merge_into(self._gauges, reading, limit=_GAUGE_LIMIT)

    def _fold(self, observation: Observation) -> None:
        kind, labels, duration, is_error, is_slow, _, _, _, request, _ = observation
        # Runs for every observation: what is usual is tried first, and costs no call.
        try:
            cell = self._cells.by_kind[kind][labels]
        except KeyError:
            cell = self._cells.cell(kind, labels)
        cell.count += 1
        cell.total += duration
        if is_error:
            cell.errors += 1
        if is_slow:
            cell.slow += 1
        if duration > cell.maximum:
            cell.maximum = duration
        bins, index = cell.bins, index_of(duration)
        try:
            bins[index] += 1
        except KeyError:
            bins[index] = 1
        reservoir = self._reservoir
        if is_error or duration > reservoir.floors.get(kind, duration):
            reservoir.offer(observation)
        if kind != _QUERY and request is not None:
            cell.queries += request.query_count
            cell.slow_queries += request.slow_query_count
            cell.query_time += request.query_time
            self._fold_context(cell, observation, request)

    def _fold_context(
        self, cell: Cell, observation: Observation, request: RequestContext
    ) -> None:
        is_request = observation.kind == series.REQUEST
        if request.findings:
            cell.findings += 1
            kind = series.N_PLUS_ONE if is_request else series.TASK_N_PLUS_ONE
            self._fold_findings(kind, observation.labels[0], request)
        if not is_request:
            return
        if request.status_code >= 300:
            _count_status(cell, request.status_code)
        if request.repeats:
            self._fold_repeats(observation.labels[0], request)
        if request.user_id is not None:
            self._observe(series.USER, request.user_id, observation, request)
        if request.organization_id is not None:
            self._fold_tenant(request.organization_id, observation, request)
        # As a sample the request may be kept for a while; these are most of its weight.
        request.query_outcomes.clear()

    def _fold_findings(self, kind: str, where: str, request: RequestContext) -> None:
        for finding in request.findings:
            file, line, function = finding.code or ("", 0, "")
            labels = (finding.fingerprint, where, file, str(line), function)
            found = self._cells.cell(kind, labels)
            found.observe(finding.duration)
            found.queries += finding.count

    def _fold_repeats(self, route: str, request: RequestContext) -> None:
        for fingerprint, repeat in list(request.repeats.items()):
            cell = self._cells.cell(series.QUERY_ENDPOINT, (fingerprint, route))
            cell.count += 1
            cell.queries += repeat[0]
            cell.query_time += repeat[1]
        request.repeats.clear()

    def _fold_tenant(
        self, tenant: str, observation: Observation, request: RequestContext
    ) -> None:
        self._observe(series.ORGANIZATION, tenant, observation, request)
        of_queries = self._cells.cell(series.ORGANIZATION_QUERY, (tenant,))
        for duration, is_error, is_slow in request.query_outcomes:
            of_queries.observe(duration, is_error=is_error, is_slow=is_slow)

    def _observe(
        self, kind: str, label: str, observation: Observation, request: RequestContext
    ) -> None:
        cell = self._cells.cell(kind, (label,))
        cell.observe(
            observation.duration,
            is_error=observation.is_error,
            is_slow=observation.is_slow,
        )
        cell.queries += request.query_count
        cell.slow_queries += request.slow_query_count
        cell.query_time += request.query_time
        cell.findings += bool(request.findings)
        _count_status(cell, request.status_code)


def _count_status(cell: Cell, status: int) -> None:
    """Note what is neither a success nor, as an error, counted already."""
    if 300 <= status < 500:
        if status < 400:
            cell.redirected += 1
        else:
            cell.refused += 1
