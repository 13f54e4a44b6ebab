"""Hand over what this process has counted: seal, encode, append to the store.

Belongs to the background thread. What the store refuses waits in a bounded backlog and is offered
again, oldest first; the store merges a repeated append once. What it can never take is dropped.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from prs_otel.rollup import codec, series
from prs_otel.rollup.retention import DELTA
from prs_otel.rollup.sample import ranks
from prs_otel.rollup.totals import totals
from prs_otel.store.base import Beat, Bucket, Store, TooLargeError

if TYPE_CHECKING:
    from prs_otel.rollup.delta import Delta
    from prs_otel.rollup.recorder import Rollup

BACKLOG_LIMIT = 120
"""Deltas kept while the store is out of order: ten minutes at the default interval."""

TEXTS_LIMIT = 5_000
_TEXTS_AN_APPEND = 200_000
"""Characters of text in one append: a store takes no write that is a large part of its quota."""
_REPEAT_TEXT_AFTER = 600.0
"""Seconds after which a text in use is told again: the store drops those it was told longest ago."""


class Texts:
    """Remember the sanitised SQL of recent fingerprints until the store has it. Thread-safe."""

    def __init__(self) -> None:
        self._texts: OrderedDict[str, str] = OrderedDict()
        self._told_at: dict[str, float] = {}

    def remember(self, fingerprint: str, text: str) -> None:
        """Keep the text of a fingerprint; the one longest unused goes when there are too many."""
        self._texts[fingerprint] = text
        if len(self._texts) > TEXTS_LIMIT:
            oldest, _ = self._texts.popitem(last=False)
            self._told_at.pop(oldest, None)

    def untold(self, fingerprints: Iterable[str], *, now: float) -> dict[str, str]:
        """Return the texts among these, which are in use, that the store may not know."""
        untold = {}
        for fingerprint in fingerprints:
            # A request may be making room at this very moment.
            with suppress(KeyError):
                self._texts.move_to_end(fingerprint)
                told_at = self._told_at.get(fingerprint, 0.0)
                if not 0 <= now - told_at < _REPEAT_TEXT_AFTER:
                    untold[fingerprint] = self._texts[fingerprint]
        return untold

    def text(self, fingerprint: str) -> str:
        """Return the text of a recent fingerprint, ``""`` when it is forgotten."""
        return self._texts.get(fingerprint, "")

    def told(self, fingerprints: Iterable[str], *, now: float) -> None:
        """Note that the store has these."""
        for fingerprint in fingerprints:
            if fingerprint in self._texts:
                self._told_at[fingerprint] = now

    def forget_told(self) -> None:
        """Note that the store has been replaced by an empty one."""
        self._told_at.clear()


@dataclass(frozen=True, slots=True)
class _Sealed:
    sequence: int
    bucket: Bucket
    fingerprints: frozenset[str]
    count: int


class Publisher:
    """Move sealed deltas of one worker into the store."""

    def __init__(
        self, rollup: Rollup, store: Store, texts: Texts, *, beat: Beat
    ) -> None:
        self._rollup = rollup
        self._store = store
        self._texts = texts
        self._beat = beat
        self._sequence = 0
        self._generation = ""
        self._backlog: deque[_Sealed] = deque()
        self.dropped = 0
        self.has_served = False
        self.on_delta: Callable[[Delta], object] = lambda delta: None

    def flush(
        self, now: float, *, figures: Mapping[str, float], failures: Mapping[str, int]
    ) -> None:
        """Seal and append; raises ``StoreError`` after keeping what could not be appended."""
        delta = self._rollup.seal(now)
        if delta is not None:
            self._keep(delta)
        self._beat = replace(
            self._beat, seen_at=now, figures=figures, failures=failures
        )
        try:
            self._hand_over(now)
        finally:
            # Afterwards: a log that is slow must not keep figures from the store.
            if delta is not None:
                self.on_delta(delta)

    @property
    def backlog(self) -> int:
        """Return how many deltas wait for the store."""
        return len(self._backlog)

    def _hand_over(self, now: float) -> None:
        self._notice_replacement()
        has_beaten = False
        while self._backlog:
            has_appended = self._append(self._backlog[0], now)
            sealed = self._backlog.popleft()
            self.dropped += 0 if has_appended else sealed.count
            has_beaten = has_beaten or has_appended
        if not has_beaten:
            self._append_texts({})

    def _keep(self, delta: Delta) -> None:
        self.has_served = self.has_served or series.REQUEST in delta.cells.by_kind
        self._sequence += 1
        self._backlog.append(_sealed(delta, self._sequence))
        if len(self._backlog) > BACKLOG_LIMIT:
            self.dropped += self._backlog.popleft().count

    def _append(self, sealed: _Sealed, now: float) -> bool:
        """Append one delta; tell whether it is one that the store can ever take."""
        first, *rest = _portions(self._texts.untold(sealed.fingerprints, now=now))
        try:
            self._store.append(
                sealed.bucket,
                worker=self._beat.worker,
                sequence=sealed.sequence,
                beat=self._beat,
                texts=first,
            )
        except (ValueError, TooLargeError):
            return False
        self._texts.told(first, now=now)
        for texts in rest:
            self._append_texts(texts)
            self._texts.told(texts, now=now)
        return True

    def _append_texts(self, texts: Mapping[str, str]) -> None:
        """Append texts alone, or just the sign of life with none."""
        self._store.append(
            None, worker=self._beat.worker, sequence=0, beat=self._beat, texts=texts
        )

    def _notice_replacement(self) -> None:
        generation = self._store.generation()
        if generation != self._generation:
            self._texts.forget_told()
            self._generation = generation


def _portions(texts: Mapping[str, str]) -> list[dict[str, str]]:
    """Divide texts into what one append may bring, at least one portion."""
    portions: list[dict[str, str]] = [{}]
    length = 0
    for fingerprint, text in texts.items():
        length += len(text)
        if length > _TEXTS_AN_APPEND and portions[-1]:
            portions.append({})
            length = len(text)
        portions[-1][fingerprint] = text
    return portions


def _sealed(delta: Delta, sequence: int) -> _Sealed:
    queries = delta.cells.by_kind.get(series.QUERY, {})
    sampled = {
        sample.fingerprint for of_kind in delta.samples.values() for sample in of_kind
    }
    return _Sealed(
        sequence=sequence,
        bucket=Bucket(
            level=DELTA,
            start=delta.start,
            end=delta.end,
            cells=codec.encode_cells(delta.cells),
            samples=codec.encode_samples(delta.samples),
            gauges=codec.encode_gauges(delta.gauges),
            slowest=ranks(delta.samples),
            totals=codec.encode_cells(totals(delta.cells)),
        ),
        fingerprints=frozenset({labels[1] for labels in queries} | sampled),
        count=sum(
            cell.count
            for kind in (series.REQUEST, series.QUERY, series.TASK)
            for cell in delta.cells.by_kind.get(kind, {}).values()
        ),
    )
