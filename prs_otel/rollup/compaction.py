"""Carry out the retention plan: replace several stored buckets by their merge.

Runs in the one process that holds the store's lease. A merge is prepared outside any lock and
offered to the store, which refuses it when any of the buckets has gone meanwhile; so two leaders
cannot count anything twice.
"""

from __future__ import annotations

import math
from collections.abc import (
    Callable,
    Iterable,
    Iterator,
    Mapping,
    Sequence,
)
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Self

from prs_otel.rollup import codec, retention, salvage, totals
from prs_otel.rollup.cells import Cells, folded_to
from prs_otel.rollup.gauge import Gauges, merge_into
from prs_otel.rollup.sample import Sample, best, by_kind, ranks
from prs_otel.store.base import Bucket, Part, Store

if TYPE_CHECKING:
    from prs_otel.plan import Plan
    from prs_otel.rollup.retention import Merge

_GAUGE_LIMIT = 500
_PARTS: Final[Sequence[Part]] = ("cells", "samples", "gauges", "totals")
_MERGES_A_ROUND = 120


@dataclass(frozen=True, slots=True)
class Replacement:
    """Tell a reader what became of buckets it has merged: ``before`` left, ``after`` came.

    ``is_partial`` when one of them was damaged: then nobody can tell what to take away.
    """

    level: int
    old: tuple[int, ...]
    new: int
    before: Cells
    after: Cells
    is_partial: bool

    @property
    def keeps_series(self) -> bool:
        """Tell whether the merge has exactly the series of what it replaced."""
        return self.after is self.before


class Compactor:
    """Merge and expire the buckets of one store, up to ``series_limit`` series a kind."""

    def __init__(
        self,
        store: Store,
        *,
        series_limit: int,
        retention_seconds: float,
        late_after: float = retention.LATE_AFTER,
        breathe: Callable[[], object] = lambda: None,
    ) -> None:
        self._store = store
        self._series_limit = series_limit
        self._retention = retention_seconds
        self._late_after = late_after
        self._breathe = breathe

    @classmethod
    def of(
        cls, store: Store, plan: Plan, *, breathe: Callable[[], object] = lambda: None
    ) -> Self:
        """Return one that works by `plan`."""
        return cls(
            store,
            series_limit=plan.series_limit,
            retention_seconds=plan.retention_seconds,
            # A delta counts in its middle, so it may arrive half its length after its slot.
            late_after=retention.LATE_AFTER + plan.flush_interval / 2,
            breathe=breathe,
        )

    def compact(
        self, *, now: float, epoch: int, up_to: float = math.inf
    ) -> Iterator[Replacement]:
        """Carry out what is due, one replacement at a time, so that the caller can breathe.

        Deltas that are newer than the row ``up_to`` are left alone. Stops quietly when the
        lease of ``epoch`` was lost. Raises ``StoreError``.
        """
        with self._store.reading() as reader:
            rows = [
                row
                for row in reader.rows()
                if row.level > retention.DELTA or row.id <= up_to
            ]
        gone = retention.expired(rows, now=now, retention=self._retention)
        if gone:
            self._store.replace(gone, None, keeps_series=False, epoch=epoch)
        expired = frozenset(gone)
        living = [row for row in rows if row.id not in expired]
        merges = retention.plan(living, now=now, late_after=self._late_after)
        for merge in merges[:_MERGES_A_ROUND]:
            replacement = self._replace(merge, epoch)
            if replacement is None:
                return
            yield replacement

    def _replace(self, merge: Merge, epoch: int) -> Replacement | None:
        parts = self._read(merge.ids)
        if parts is None:
            return None
        before, summed, is_partial = self._merged_cells(parts)
        after = folded_to(before, self._series_limit)
        new = self._store.replace(
            merge.ids,
            replace(self._bucket(merge, after, parts), totals=summed),
            keeps_series=after is before and not is_partial,
            epoch=epoch,
        )
        if new is None:
            return None
        return Replacement(merge.level, merge.ids, new, before, after, is_partial)

    def _read(self, ids: Sequence[int]) -> dict[Part, dict[int, bytes]] | None:
        with self._store.reading() as reader:
            parts: dict[Part, dict[int, bytes]] = {
                part: reader.read(part, ids) for part in _PARTS
            }
        return parts if len(parts["cells"]) == len(ids) else None

    def _merged_cells(
        self, parts: Mapping[Part, Mapping[int, bytes]]
    ) -> tuple[Cells, bytes, bool]:
        """Return the merge of what can be read, its totals, and whether that is not all."""
        blobs = parts["cells"]
        # Wide enough for all series of all parts: folding by size comes afterwards.
        merged, summed = Cells((self._series_limit + 1) * len(blobs)), Cells(1)
        is_partial = False
        for row_id, blob in blobs.items():
            packed = salvage.cells(blob)
            if packed is None:
                is_partial = True
            else:
                packed.merge_into(merged)
                totals.merge(summed, parts["totals"].get(row_id, b""), packed)
            self._breathe()
        return merged, codec.encode_cells(summed), is_partial

    def _bucket(
        self, merge: Merge, cells: Cells, parts: Mapping[Part, Mapping[int, bytes]]
    ) -> Bucket:
        samples = self._merged_samples(parts["samples"].values())
        return Bucket(
            level=merge.level,
            start=merge.start,
            end=merge.start + merge.level,
            cells=codec.encode_cells(cells),
            samples=codec.encode_samples(samples),
            gauges=codec.encode_gauges(_merged_gauges(parts["gauges"].values())),
            slowest=ranks(samples),
        )

    def _merged_samples(self, blobs: Iterable[bytes]) -> dict[str, list[Sample]]:
        samples: dict[str, list[Sample]] = {}
        for blob in blobs:
            for kind, of_kind in by_kind(salvage.samples(blob)).items():
                samples[kind] = best([*samples.get(kind, ()), *of_kind])
            self._breathe()
        return samples


def _merged_gauges(blobs: Iterable[bytes]) -> Gauges:
    gauges: Gauges = {}
    for blob in blobs:
        merge_into(gauges, salvage.gauges(blob), limit=_GAUGE_LIMIT)
    return gauges
