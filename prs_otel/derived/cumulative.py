"""Sums over the life of a process, from its deltas. Pure, and bounded."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Final

from prs_otel.derived.catalog import COUNTED, LOOKED, READ, Counted, Looked
from prs_otel.rollup import series

if TYPE_CHECKING:
    from prs_otel.rollup.cell import Cell
    from prs_otel.rollup.cells import Cells
    from prs_otel.rollup.delta import Delta
    from prs_otel.rollup.gauge import Gauge
    from prs_otel.rollup.series import Labels

Sums = dict["Labels", float]

_STALE_AFTER: Final = 120.0
# Told before there are any: Prometheus sees no increase in the first value of a series.
_SHARES: Final = frozenset({"errors", "slow"})
_READ_NAMES: Final = frozenset(each.name for each in READ)


class Cumulative:
    """Add up what the deltas of one process say. Not thread-safe.

    A metric has at most ``limit`` series; what comes later is counted under ``__other__``.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._sums: dict[str, Sums] = {}
        self._gauges: dict[str, dict[Labels, Gauge]] = {}
        self._latest = 0.0

    def add(self, delta: Delta) -> None:
        """Add what was counted, and note what was read last."""
        for counted in COUNTED:
            self._count(counted, delta.cells.by_kind.get(counted.kind, {}))
        for looked in LOOKED:
            self._look(looked, delta.cells)
        for (name, labels), gauge in delta.gauges.items():
            if name in _READ_NAMES:
                self._gauges.setdefault(name, {})[labels] = gauge
        self._latest = delta.end

    def sums(self, name: str) -> Iterator[tuple[Labels, float]]:
        """Yield the labels and the sum of each series of a counter."""
        yield from self._sums.get(name, {}).items()

    def readings(self, name: str) -> Iterator[tuple[Labels, float]]:
        """Yield the labels and the latest value of each series of a gauge.

        The host is read by the leader; once that is another process, what it read is stale.
        """
        for labels, gauge in self._gauges.get(name, {}).items():
            if self._latest - gauge.at < _STALE_AFTER:
                yield labels, gauge.last

    def _count(self, counted: Counted, cells: Mapping[Labels, Cell]) -> None:
        for labels, cell in cells.items():
            amount = getattr(cell, counted.figure)
            if amount or counted.figure in _SHARES:
                chosen = projected(labels, counted.kind, counted.labels)
                self._add(counted.name, chosen, amount * counted.scale)

    def _look(self, looked: Looked, cells: Cells) -> None:
        for labels, amount in cells.counters.get(looked.counter, {}).items():
            self._add(looked.name, labels, amount)

    def _add(self, name: str, labels: Labels, amount: float) -> None:
        sums = self._sums.setdefault(name, {})
        if labels not in sums and len(sums) >= self._limit:
            labels = (series.OTHER,) * len(labels)
        sums[labels] = sums.get(labels, 0) + amount


def projected(labels: Labels, kind: str, wanted: Labels) -> Labels:
    """Return the values of the ``wanted`` labels of a series."""
    names = series.LABEL_NAMES[kind]
    return tuple(labels[names.index(name)] for name in wanted)
