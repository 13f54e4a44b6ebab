"""The caches: all of them together, and each by its alias."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Final, TypedDict

from prs_otel import conf, semconv
from prs_otel.instrumentation.cache_usage import LOCAL
from prs_otel.monitoring.documents import figures as shown
from prs_otel.monitoring.schemas import (
    CacheFigures,
    CacheMetrics,
    CacheOperation,
    DurationFigures,
)
from prs_otel.rollup import labelled, series
from prs_otel.rollup.figures import Figures, merge

if TYPE_CHECKING:
    from prs_otel.rollup.window import Window
    from prs_otel.store.base import Beat

_USAGE: Final = {
    semconv.PRS_CACHE_MEMORY_USAGE: "memory_usage",
    semconv.PRS_CACHE_MEMORY_LIMIT: "memory_limit",
    semconv.PRS_CACHE_ITEM_COUNT: "item_count",
    semconv.PRS_CACHE_EVICTIONS: "evictions",
}
_NOT_TOLD: Final = dict.fromkeys(_USAGE.values())


class Calls(TypedDict):
    """What the figures of one cache and of all have under the same names."""

    hits: int
    misses: int
    hit_rate: float | None
    operation_count: int
    error_count: int
    error_rate: float
    duration: DurationFigures


def cache_figures(window: Window) -> CacheFigures | None:
    """Return the calls of all caches within `window`, `None` if they are not measured."""
    if not conf.current().track_cache:
        return None
    hits, misses = (
        sum(window.counter(name).values())
        for name in (series.CACHE_HITS, series.CACHE_MISSES)
    )
    return CacheFigures(**_calls(window.total(series.CACHE), hits, misses))


def cache_metrics(window: Window, workers: Sequence[Beat]) -> list[CacheMetrics] | None:
    """Return each cache within `window`, and what the `workers` say it holds now."""
    if not conf.current().track_cache:
        return None
    operations: defaultdict[str, dict[str, Figures]] = defaultdict(dict)
    for (alias, operation), figures in window.figures(series.CACHE).items():
        operations[alias][operation] = figures
    usage = _usage(workers)
    hits, misses = (
        window.counter(series.CACHE_HITS),
        window.counter(series.CACHE_MISSES),
    )
    return [
        CacheMetrics(
            alias=alias,
            **_calls(
                merge(operations[alias].values()),
                hits.get((alias,), 0),
                misses.get((alias,), 0),
            ),
            operations=_operations(operations[alias]),
            **{**_NOT_TOLD, **usage.get(alias, {})},
        )
        for alias in sorted({*operations, *usage})
    ]


def _calls(figures: Figures, hits: int, misses: int) -> Calls:
    lookups = hits + misses
    return Calls(
        hits=hits,
        misses=misses,
        hit_rate=hits / lookups if lookups else None,
        operation_count=figures.count,
        error_count=figures.error_count,
        error_rate=figures.error_rate,
        duration=shown.duration_figures(figures),
    )


def _operations(by_name: Mapping[str, Figures]) -> list[CacheOperation]:
    return [
        CacheOperation(
            operation=name,
            count=figures.count,
            error_count=figures.error_count,
            duration=shown.duration_figures(figures),
        )
        for name, figures in shown.heaviest_first(by_name.items())
    ]


def _usage(workers: Iterable[Beat]) -> dict[str, dict[str, int]]:
    """Return what is in each cache: all of what is each worker's own, the latest of the rest."""
    found: defaultdict[str, dict[str, int]] = defaultdict(dict)
    for worker in sorted(workers, key=lambda each: each.seen_at):
        for name, field in _USAGE.items():
            for (alias, scope), value in labelled.parts(worker.figures, name).items():
                before = found[alias].get(field, 0) if scope == LOCAL else 0
                found[alias][field] = before + int(value)
    return found
