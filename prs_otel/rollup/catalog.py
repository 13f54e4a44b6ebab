"""The metrics a rule may name, each with the series it is read from and what it measures."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

from prs_otel.rollup import series

if TYPE_CHECKING:
    from prs_otel.rollup.figures import Figures

HOST_NAME = "host.name"

_REQUEST = "http.server.request"
_QUERY = "db.client.operation"
_CACHE = "prs.cache.operation"
_TASK = "prs.task"
_KINDS: dict[str, tuple[str, ...]] = {
    _REQUEST: (series.REQUEST, series.ORGANIZATION, series.USER),
    _QUERY: (series.QUERY, series.ORGANIZATION_QUERY),
    _CACHE: (series.CACHE,),
    _TASK: (series.TASK,),
}
_SHARES = {"error_rate": "error_count", "slow_rate": "slow_count"}
CACHE_HIT_RATE = "prs.cache.hit_rate"


@dataclass(frozen=True, slots=True)
class Metric:
    """Name the series of ``family`` and the figure taken of them.

    ``measure`` is ``duration``, ``count``, ``rate``, ``error_rate`` or ``slow_rate``.
    """

    name: str
    family: str
    measure: str

    @property
    def evident_kind(self) -> str:
        """Return the kind of series that says most of what the metric's value is made of."""
        return _KINDS[self.family][0]

    def kind(self, labels: Collection[str]) -> str:
        """Return the kind of series that has all ``labels``; raises ``LookupError`` if none has."""
        for kind in _KINDS[self.family]:
            if set(labels) <= {*series.LABEL_NAMES[kind], HOST_NAME}:
                return kind
        known = sorted(
            {name for kind in _KINDS[self.family] for name in series.LABEL_NAMES[kind]}
        )
        raise LookupError(
            f"{self.name} has no series labelled {', '.join(sorted(labels))}; "
            f"its labels are {', '.join(known)}, of which those of one kind go together"
        )

    def value(self, figures: Figures, aggregation: str, seconds: float) -> float:
        """Return the figure; raises ``LookupError`` for an aggregation the measure has not."""
        if self.measure in _SHARES and aggregation in ("ratio", "avg", ""):
            return float(getattr(figures, self.measure))
        if self.measure in _SHARES and aggregation in ("count", "rate"):
            count = float(getattr(figures, _SHARES[self.measure]))
            return count if aggregation == "count" else count / seconds
        # "avg" is what a rule says that says nothing: of a count or a rate, it is itself.
        is_itself = aggregation in ("", "avg", "sum")
        if aggregation == "count" or (self.measure == "count" and is_itself):
            return float(figures.count)
        if aggregation == "rate" or (self.measure == "rate" and is_itself):
            return figures.count / seconds
        if self.measure == "duration":
            return _duration(figures, aggregation or "avg", self.name)
        raise LookupError(f"{self.name} cannot be aggregated by {aggregation!r}")


def metric(name: str) -> Metric | None:
    """Return the metric of that name, ``None`` when it is not derived from spans."""
    for family in _KINDS:
        if name.startswith(f"{family}."):
            measure = name.removeprefix(f"{family}.")
            if measure in _measures(family):
                return Metric(name, family, measure)
    return None


def names() -> list[str]:
    """Return every metric derived from spans, for messages and completion."""
    found = [f"{each}.{measure}" for each in _KINDS for measure in _measures(each)]
    return [*found, CACHE_HIT_RATE]


def _measures(family: str) -> list[str]:
    # No threshold says when a call of a cache is slow.
    shares = [share for share in _SHARES if family != _CACHE or share != "slow_rate"]
    return ["duration", "count", "rate", *shares]


def _duration(figures: Figures, aggregation: str, name: str) -> float:
    if aggregation == "avg":
        return figures.mean
    if aggregation == "max":
        return figures.max
    if aggregation.startswith("p"):
        return figures.quantile(_quantile(aggregation, name))
    raise LookupError(
        f"{name} cannot be aggregated by {aggregation!r}; use avg, max, count, rate or p95"
    )


def _quantile(aggregation: str, name: str) -> float:
    try:
        q = float(aggregation.removeprefix("p")) / 100
    except ValueError:
        q = -1.0
    if not 0 <= q <= 1:
        raise LookupError(
            f"{name}: {aggregation!r} is no quantile; write p50, p95 or p99.9"
        )
    return q
