"""What rules ask about one instant: each window is read once, and each grouping merged once.

Hundreds of rules ask for a handful of windows. To copy a window of a thousand series takes
milliseconds, and so does merging the histograms of all of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, TypeAlias

from prs_otel.rollup import series
from prs_otel.rollup.catalog import HOST_NAME
from prs_otel.rollup.figures import Figures, merge

if TYPE_CHECKING:
    from prs_otel.rollup.gauge import Gauges
    from prs_otel.rollup.view import MetricsView
    from prs_otel.rollup.window import Window

Named: TypeAlias = tuple[tuple[str, str], ...]


class Instant:
    """Read a view as it is at ``now``. Not thread-safe; to be forgotten with its instant."""

    def __init__(self, view: MetricsView, *, now: float) -> None:
        self.now = now
        self._view = view
        self._windows: dict[float, Window] = {}
        self._gauges: dict[float, Gauges] = {}
        self._groups: dict[object, Mapping[Named, Figures]] = {}

    def window(self, seconds: float) -> Window:
        """Return the last ``seconds``; raises ``StoreError``."""
        found = self._windows.get(seconds)
        if found is None:
            found = self._windows[seconds] = self._view.window(seconds, now=self.now)
        return found

    def gauges(self, seconds: float) -> Gauges:
        """Return the readings of the last ``seconds``; raises ``StoreError``."""
        found = self._gauges.get(seconds)
        if found is None:
            found = self._view.all_gauges(seconds=seconds, now=self.now)
            self._gauges[seconds] = found
        return found

    def grouped(
        self, seconds: float, kind: str, where: Mapping[str, str], by: Sequence[str]
    ) -> Mapping[Named, Figures]:
        """Return the series that match ``where``, those alike in the labels ``by`` as one."""
        key = seconds, kind, frozenset(where.items()), tuple(by)
        found = self._groups.get(key)
        if found is None:
            parts = _grouped(self.window(seconds).figures(kind), kind, where, by)
            found = {named: merge(figures) for named, figures in parts.items()}
            self._groups[key] = found
        return found


def matches(labels: Mapping[str, str], where: Mapping[str, str]) -> bool:
    """Tell whether the labels have every value asked for."""
    return all(
        labels.get(name) == value for name, value in where.items() if name != HOST_NAME
    )


def _grouped(
    of_kind: Mapping[series.Labels, Figures],
    kind: str,
    where: Mapping[str, str],
    by: Sequence[str],
) -> dict[Named, list[Figures]]:
    label_names = series.LABEL_NAMES[kind]
    groups: dict[Named, list[Figures]] = {}
    for values, figures in of_kind.items():
        labels = dict(zip(label_names, values, strict=True))
        if matches(labels, where):
            named = tuple((name, labels[name]) for name in by if name != HOST_NAME)
            groups.setdefault(named, []).append(figures)
    return groups
