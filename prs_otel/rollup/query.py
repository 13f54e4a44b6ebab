"""Answer one rule's question: which label sets have which value over a window.

No data gives no point, never a zero: whether silence is good or bad is for the rule to say.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from prs_otel.rollup import series
from prs_otel.rollup.catalog import CACHE_HIT_RATE, HOST_NAME, Metric, metric, names
from prs_otel.rollup.instant import matches

if TYPE_CHECKING:
    from prs_otel.rollup.figures import Figures
    from prs_otel.rollup.gauge import Gauge
    from prs_otel.rollup.instant import Instant
    from prs_otel.rollup.series import Labels


@dataclass(frozen=True, slots=True)
class Point:
    """Carry one label set's value and the number of observations it rests on."""

    labels: Mapping[str, str]
    value: float
    count: int


@dataclass(frozen=True, slots=True)
class Query:
    """Ask for ``metric`` over the last ``window`` seconds.

    ``aggregation`` is ``avg``, ``max``, ``rate``, ``ratio``, ``count`` or a quantile as ``p95``.
    """

    metric: str
    aggregation: str
    where: Mapping[str, str]
    by: Sequence[str]
    window: float


def points(instant: Instant, query: Query) -> list[Point]:
    """Return one point per label set; raises ``LookupError`` for what no metric or label is."""
    derived = metric(query.metric)
    if derived is not None:
        return _derived(instant, query, derived)
    if query.metric == CACHE_HIT_RATE:
        return _cache_hit_rate(instant, query)
    return _gauge(instant, query)


def _derived(instant: Instant, query: Query, derived: Metric) -> list[Point]:
    kind = derived.kind({*query.where, *query.by} - {HOST_NAME})
    covered = instant.window(query.window).covered_seconds
    seconds = max(min(covered, query.window), 1.0)
    groups = instant.grouped(query.window, kind, query.where, query.by)
    return [
        Point(
            labels=dict(labels),
            value=derived.value(figures, query.aggregation, seconds),
            count=figures.count,
        )
        for labels, figures in groups.items()
    ]


def _cache_hit_rate(instant: Instant, query: Query) -> list[Point]:
    name, _ = series.LABEL_NAMES[series.CACHE]
    unknown = {*query.where, *query.by} - {name, HOST_NAME}
    if unknown:
        raise LookupError(
            f"{query.metric} has only the label {name}, not {', '.join(sorted(unknown))}"
        )
    window = instant.window(query.window)
    hits, misses = (
        window.counter(series.CACHE_HITS),
        window.counter(series.CACHE_MISSES),
    )
    groups: dict[tuple[tuple[str, str], ...], list[int]] = {}
    for values in {*hits, *misses}:
        labels = {name: values[0]}
        if matches(labels, query.where):
            key = tuple((each, labels[each]) for each in query.by if each != HOST_NAME)
            group = groups.setdefault(key, [0, 0])
            group[0] += hits.get(values, 0)
            group[1] += misses.get(values, 0)
    return [
        Point(
            labels=dict(key),
            value=_cache_value(hit, missed, query.aggregation),
            count=hit + missed,
        )
        for key, (hit, missed) in groups.items()
        if hit + missed
    ]


def _cache_value(hits: int, misses: int, aggregation: str) -> float:
    if aggregation in ("", "avg", "ratio"):
        return hits / (hits + misses)
    if aggregation == "count":
        return float(hits + misses)
    raise LookupError(
        f"{CACHE_HIT_RATE} cannot be aggregated by {aggregation!r}; use ratio or count"
    )


def _gauge(instant: Instant, query: Query) -> list[Point]:
    label_names = series.GAUGE_LABELS.get(query.metric, (HOST_NAME,))
    unknown = {*query.where, *query.by} - {*label_names}
    if unknown:
        raise LookupError(
            f"{query.metric} is no metric derived from spans (these are {', '.join(names())}), "
            f"and a gauge of this name has only the label {' and '.join(label_names)}, "
            f"not {', '.join(sorted(unknown))}"
        )
    found: list[Point] = []
    for (name, values), gauge in instant.gauges(query.window).items():
        if name == query.metric:
            labels = dict(zip(label_names, values, strict=False))
            host = query.where.get(HOST_NAME, labels.get(HOST_NAME))
            if host == labels.get(HOST_NAME) and matches(labels, query.where):
                value = _gauge_value(gauge, query.aggregation)
                found.append(Point(labels=labels, value=value, count=gauge.count))
    return found


def _gauge_value(gauge: Gauge, aggregation: str) -> float:
    if aggregation in ("avg", ""):
        return gauge.mean
    if aggregation == "max":
        return gauge.maximum
    if aggregation == "last":
        return gauge.last
    if aggregation == "count":
        return float(gauge.count)
    raise LookupError(
        f"a gauge cannot be aggregated by {aggregation!r}; use avg, max or count"
    )


def largest(
    of_kind: Mapping[Labels, Figures], measure: str, limit: int
) -> Iterable[tuple[Labels, Figures]]:
    """Return the series of highest ``measure``, an attribute of figures, highest first."""
    ranked = sorted(
        of_kind.items(), key=lambda item: getattr(item[1], measure), reverse=True
    )
    return [item for item in ranked if getattr(item[1], measure)][:limit]
