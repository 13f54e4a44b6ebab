"""Read the view the way rules do: by metric name, in plain types."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from prs_otel.rollup import series
from prs_otel.rollup.catalog import HOST_NAME
from prs_otel.rollup.evidence import evidence
from prs_otel.rollup.instant import Instant
from prs_otel.rollup.query import Point, Query, points

if TYPE_CHECKING:
    from prs_otel.rollup.view import MetricsView

_FLAT_WINDOW = 300.0
_GAUGES_IN_PERCENT = {
    "system.cpu.utilization": "cpu_percent",
    "system.memory.utilization": "memory_percent",
    "system.filesystem.utilization": "disk_percent",
}
_CONNECTIONS = "db.client.connection.count"


class ViewSource:
    """Answer rules from one view; ``identity`` is put into the labels of every point.

    What is asked about the same moment is read once. Not thread-safe.
    """

    def __init__(self, view: MetricsView, *, identity: Mapping[str, str]) -> None:
        self._view = view
        self._identity = dict(identity)
        self._instant = Instant(view, now=-math.inf)

    def _at(self, now: float) -> Instant:
        """Return the instant of one evaluation, which asks all its questions about it."""
        if self._instant.now != now:
            self._instant = Instant(self._view, now=now)
        return self._instant

    def query(  # noqa: PLR0913 - the shape that rules read through
        self,
        metric: str,
        *,
        aggregation: str,
        where: Mapping[str, str],
        by: Sequence[str],
        window: float,
        now: float,
    ) -> list[Point]:
        """Return the points of a metric; raises ``LookupError`` or ``StoreError``."""
        found = points(self._at(now), Query(metric, aggregation, where, by, window))
        named = [
            replace(each, labels={**self._identity, **each.labels}) for each in found
        ]
        # What belongs to this host is no answer to a question about another.
        host = where.get(HOST_NAME)
        return [
            each for each in named if host in (None, each.labels.get(HOST_NAME, host))
        ]

    def evidence(
        self, metric: str, *, where: Mapping[str, str], window: float, now: float
    ) -> dict[str, object]:
        """Return what the metric's value rests on, in types that are ready for JSON."""
        query = Query(metric, "", where, (), window)
        return evidence(self._view, query, now=now).as_dict()

    def flat(self, *, now: float) -> dict[str, float]:
        """Return the metrics of the last five minutes under their flat names, in percent."""
        instant = self._at(now)
        window = instant.window(_FLAT_WINDOW)
        flat = {
            "slow_query_rate": window.total(series.QUERY).slow_rate * 100,
            "api_error_rate": window.total(series.REQUEST).error_rate * 100,
        }
        for (name, _), gauge in instant.gauges(_FLAT_WINDOW).items():
            if name in _GAUGES_IN_PERCENT:
                flat[_GAUGES_IN_PERCENT[name]] = gauge.last * 100
            elif name == _CONNECTIONS:
                flat["database_connections"] = flat["db_connections"] = gauge.last
            elif name not in series.GAUGE_LABELS:
                flat[name] = gauge.last
        return flat
