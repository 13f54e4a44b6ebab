"""The in-memory view: what all workers counted, merged, for any window up to the retention.

Thread-safe; one lock serialises readers of a process, for as long as a reader of a store may wait.
A view belongs to the process that made it: after a fork the child makes its own.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from prs_otel.rollup import codec, salvage
from prs_otel.rollup.accumulator import Accumulator, wanted_rows
from prs_otel.rollup.drawing import IDLE_AFTER, Drawing
from prs_otel.rollup.gauge import Gauge, Gauges, merge_into
from prs_otel.rollup.retention import DELTA, LEVELS
from prs_otel.rollup.sample import Sample, best, rank
from prs_otel.rollup.window import Window, window_of
from prs_otel.store.base import BUSY_TIMEOUT, StoreError

if TYPE_CHECKING:
    from _thread import LockType

    from prs_otel.rollup.compaction import Replacement
    from prs_otel.rollup.digest import Selection
    from prs_otel.rollup.lines import Lines
    from prs_otel.rollup.series import Labels
    from prs_otel.rollup.trends import Trend
    from prs_otel.store.base import Beat, Row, Store

_Extent = tuple[float, int]  # seconds of a window, and the finest level in it

_WINDOWS_KEPT = 8
_GAUGE_LIMIT = 500
SERVES = "prs.monitor.serves"
"""The figure by which a process says whether it answers requests, 1 or 0."""

REVISION = "prs.monitor.configuration"
"""The figure by which a process says which changes of the settings it has followed."""

_SAMPLES_SCANNED = 400
"""Buckets whose samples one call may decode, which bounds a search that finds little."""


class MetricsView:
    """Read one store.

    ``beat_ttl`` is how many seconds a silent worker counts as alive; ``breathe`` is called
    between two steps of a long merge, so that other threads can run.
    """

    def __init__(
        self,
        store: Store,
        *,
        series_limit: int,
        new_lock: Callable[[], LockType],
        beat_ttl: float = 15.0,
        breathe: Callable[[], object] = lambda: None,
    ) -> None:
        self.store = store
        self._series_limit = series_limit
        self.beat_ttl = beat_ttl
        self._breathe = breathe
        # Protects the accumulators.
        self._lock = new_lock()
        self._accumulators: OrderedDict[_Extent, Accumulator] = OrderedDict()
        self._used_at: dict[_Extent, float] = {}
        self.drawing = Drawing(store, new_lock=new_lock, breathe=breathe)

    def window(self, seconds: float, *, now: float) -> Window:
        """Return the merged figures of the last ``seconds``. Raises ``StoreError``."""
        with self._held():
            accumulator = self._accumulator(seconds, now=now)
            with self.store.reading() as reader:
                rows = {row.id: row for row in reader.rows()}
                accumulator.refresh(reader, rows, now=now)
                known_since = max(reader.known_since, now - seconds)
            return window_of(
                accumulator.cells,
                start=now - seconds,
                end=now,
                covered_seconds=max(0.0, now - known_since),
            )

    def trend(
        self, selection: Selection, *, seconds: float, step: int | None, now: float
    ) -> Trend:
        """Return the last ``seconds`` cut into points. Raises ``StoreError``."""
        return self.drawing.trend(selection, seconds=seconds, step=step, now=now)

    def lines(self, *, seconds: float, step: int, now: float) -> Lines:
        """Return what each endpoint was asked in each point. Raises ``StoreError``."""
        return self.drawing.lines(seconds=seconds, step=step, now=now)

    def slowest(
        self,
        kind: str,
        *,
        limit: int,
        seconds: float,
        now: float,
        matches: Callable[[Sample], bool] = lambda sample: True,
    ) -> list[Sample]:
        """Return the samples of ``kind`` that rank highest among those that match.

        Buckets are visited by their best sample, and only as long as one could still be better
        than what was found. Raises ``StoreError``.
        """
        found: list[Sample] = []
        with self.store.reading() as reader:
            rows = wanted_rows(reader.rows(), seconds=seconds, now=now)
            for row in _ranked(rows, kind):
                if len(found) == limit and row.slowest[kind] <= rank(found[-1]) * 1e9:
                    break
                samples = salvage.samples(
                    reader.read("samples", (row.id,)).get(row.id, b"")
                )
                matching = (
                    each for each in samples if each.kind == kind and matches(each)
                )
                found = best([*found, *matching], limit)
        return found

    def gauges(self, name: str, *, seconds: float, now: float) -> dict[Labels, Gauge]:
        """Return the readings of a gauge in the window, by labels. Raises ``StoreError``."""
        return {
            labels: gauge
            for (each, labels), gauge in self.all_gauges(
                seconds=seconds, now=now
            ).items()
            if each == name
        }

    def all_gauges(self, *, seconds: float, now: float) -> Gauges:
        """Return the readings of every gauge in the window. Raises ``StoreError``."""
        gauges: Gauges = {}
        with self.store.reading() as reader:
            rows = wanted_rows(reader.rows(), seconds=seconds, now=now)
            for blob in reader.read("gauges", sorted(rows)).values():
                merge_into(gauges, salvage.gauges(blob), limit=_GAUGE_LIMIT)
        return gauges

    def processes(self, *, now: float) -> list[Beat]:
        """Return what every living process says of itself. Raises ``StoreError``."""
        with self.store.reading() as reader:
            beats = reader.beats()
        return sorted(
            (beat for beat in beats if abs(now - beat.seen_at) < self.beat_ttl),
            key=lambda beat: (beat.host, beat.pid),
        )

    def workers(self, *, now: float) -> list[Beat]:
        """Return the living processes that answer requests. Raises ``StoreError``."""
        return [beat for beat in self.processes(now=now) if beat.figures.get(SERVES, 1)]

    def texts(self, fingerprints: Sequence[str]) -> Mapping[str, str]:
        """Return the sanitised SQL of each known fingerprint. Raises ``StoreError``."""
        with self.store.reading() as reader:
            return reader.texts(fingerprints)

    def text(self, fingerprint: str) -> str:
        """Return the sanitised SQL of a fingerprint, ``""`` when unknown."""
        return self.texts((fingerprint,)).get(fingerprint, "")

    def slide(self, *, now: float) -> None:
        """Let every window let go of what has left it, before compaction merges that.

        A bucket that was merged with others can no longer be subtracted by itself.
        Raises ``StoreError``.
        """
        with self._held(), self.store.reading() as reader:
            rows = {row.id: row for row in reader.rows()}
            for accumulator in self._accumulators.values():
                accumulator.slide(reader, rows, now=now)

    def follow(self, replacement: Replacement) -> None:
        """Take note of a replacement that this process has just made in the store.

        Raises ``StoreError`` when a reader is in the way for too long; nothing is lost then, it
        only has to be read again.
        """
        with self._held():
            for accumulator in self._accumulators.values():
                accumulator.exchange(replacement)

    def rolling(self, seconds: float, *, now: float) -> tuple[list[int], bytes]:
        """Return the merge of the last ``seconds`` for cold readers, and the ids in it.

        Deltas are left out: their ids end with the next compaction. Raises ``StoreError``.
        """
        with self._held(), self.store.reading() as reader:
            accumulator = self._accumulator(seconds, now=now, level=LEVELS[0])
            rows = {row.id: row for row in reader.rows()}
            accumulator.refresh(reader, rows, now=now)
            return sorted(accumulator.included), codec.encode_cells(accumulator.cells)

    def forget_idle(self, *, now: float) -> bool:
        """Let go of windows that nobody has asked for in five minutes; tell if there were any."""
        # A view that somebody is reading is not idle.
        if not self._lock.acquire(False):
            return False
        try:
            idle = [
                extent
                for extent, used_at in self._used_at.items()
                if abs(now - used_at) > IDLE_AFTER
            ]
            for extent in idle:
                self._drop(extent)
            has_drawn = self.drawing.forget_idle(now=now)
        finally:
            self._lock.release()
        return bool(idle) or has_drawn

    @contextmanager
    def _held(self) -> Iterator[None]:
        if not self._lock.acquire(timeout=BUSY_TIMEOUT):
            raise StoreError("another thread of this process is reading for too long")
        try:
            yield
        finally:
            self._lock.release()

    def _accumulator(
        self, seconds: float, *, now: float, level: int = DELTA
    ) -> Accumulator:
        extent = (seconds, level)
        accumulator = self._accumulators.get(extent)
        if accumulator is None:
            while len(self._accumulators) >= _WINDOWS_KEPT:
                self._drop(next(iter(self._accumulators)))
            accumulator = self._accumulators[extent] = Accumulator(
                seconds,
                series_limit=self._series_limit,
                breathe=self._breathe,
                level=level,
            )
        self._accumulators.move_to_end(extent)
        self._used_at[extent] = now
        return accumulator

    def _drop(self, extent: _Extent) -> None:
        del self._accumulators[extent], self._used_at[extent]


def _ranked(rows: Mapping[int, Row], kind: str) -> list[Row]:
    with_samples = [row for row in rows.values() if kind in row.slowest]
    with_samples.sort(key=lambda row: row.slowest[kind], reverse=True)
    return with_samples[:_SAMPLES_SCANNED]
