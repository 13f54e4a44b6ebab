"""The window as a time series."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypedDict

from prs_otel import conf, semconv
from prs_otel.monitoring.documents import figures as shown
from prs_otel.monitoring.schemas import (
    Deploy,
    SystemFigures,
    TrendCache,
    TrendPoint,
    TrendQueries,
    TrendRequests,
    Trends,
    TrendTasks,
    WindowDocument,
)
from prs_otel.rollup.gauge import Gauge

if TYPE_CHECKING:
    from prs_otel.rollup import trends as rollup
    from prs_otel.rollup.digest import Selection
    from prs_otel.rollup.figures import Figures
    from prs_otel.rollup.series import Labels
    from prs_otel.rollup.view import MetricsView

Gauges = Mapping[tuple[str, "Labels"], Gauge]

_NOT_SHOWN: Final[Gauges] = {}


class _Rates(TypedDict):
    count: int | None
    error_rate: float | None
    slow_rate: float | None
    p50: float | None
    p95: float | None
    p99: float | None


_NOTHING_KNOWN: Final = _Rates(
    count=None, error_rate=None, slow_rate=None, p50=None, p95=None, p99=None
)


@dataclass(frozen=True, slots=True)
class TrendQuery:
    """Say what is to be drawn, over how many seconds, and how far apart its points are.

    `shows_system` is for those who may know how the hosts are doing.
    """

    selection: Selection
    seconds: float
    step: int | None = None
    shows_system: bool = True


def trends(
    view: MetricsView,
    asked: TrendQuery,
    *,
    now: float,
) -> Trends:
    """Return the window in points; raises `StoreError`."""
    selection, step = asked.selection, asked.step
    trend = view.trend(selection, seconds=asked.seconds, step=step, now=now)
    return Trends(
        window=_window(trend.stretch),
        endpoint=selection.endpoint,
        organization_id=selection.organization_id,
        step=trend.step,
        requested_step=step,
        is_coarsened=step is not None and trend.step > step,
        is_covered=not trend.is_folded and is_counted(selection),
        points=[
            TrendPoint(
                time=shown.utc(point.start),
                covered_seconds=point.covered_seconds,
                requests=TrendRequests(**_rates(point, point.requests)),
                queries=_queries(point, selection),
                tasks=_tasks(point, selection),
                cache=_cache(point, selection),
                system=_system(point.gauges if asked.shows_system else _NOT_SHOWN),
            )
            for point in trend.points
        ],
        deploys=[
            Deploy(time=shown.utc(each.at), version=each.version)
            for each in (trend.deploys if asked.shows_system else ())
        ],
    )


def is_counted(selection: Selection) -> bool:
    """Tell whether what is asked for is counted apart at all."""
    return selection.organization_id is None or conf.current().track_organizations


def _window(stretch: rollup.Stretch) -> WindowDocument:
    return shown.stretch_document(
        stretch.since, stretch.until, known_since=stretch.known_since
    )


def _rates(point: rollup.TrendPoint, figures: Figures) -> _Rates:
    if not point.is_known:
        return _NOTHING_KNOWN
    has_any = figures.count > 0
    p50, p95, p99 = (
        figures.quantiles(shown.QUANTILES) if has_any else (None, None, None)
    )
    return _Rates(
        count=figures.count,
        error_rate=figures.error_rate,
        slow_rate=figures.slow_rate,
        p50=p50,
        p95=p95,
        p99=p99,
    )


def _tasks(point: rollup.TrendPoint, selection: Selection) -> TrendTasks:
    # Whom a task is for, nobody knows.
    is_drawn = selection.is_everything
    return TrendTasks(**_rates(point, point.tasks) if is_drawn else _NOTHING_KNOWN)


def _queries(point: rollup.TrendPoint, selection: Selection) -> TrendQueries:
    if not point.is_known:
        return TrendQueries(count=None, slow_rate=None)
    if selection.query_kind is None:
        count, slow = point.requests.query_count, point.requests.slow_query_count
        return TrendQueries(count=count, slow_rate=shown.share(slow, count))
    return TrendQueries(count=point.queries.count, slow_rate=point.queries.slow_rate)


def _cache(point: rollup.TrendPoint, selection: Selection) -> TrendCache:
    # Whom a look-up was for, nobody knows.
    if not (point.is_known and selection.is_everything):
        return TrendCache(hits=None, misses=None, hit_rate=None)
    hits, misses = point.lookups
    hit_rate = hits / (hits + misses) if hits + misses else None
    return TrendCache(hits=hits, misses=misses, hit_rate=hit_rate)


def _system(gauges: Gauges) -> SystemFigures:
    connections = _of_hosts(
        gauges, semconv.DB_CLIENT_CONNECTION_COUNT, lambda gauge: gauge.maximum
    )
    return SystemFigures(
        cpu_utilization=_busiest(gauges, semconv.SYSTEM_CPU_UTILIZATION),
        memory_utilization=_busiest(gauges, semconv.SYSTEM_MEMORY_UTILIZATION),
        disk_utilization=_busiest(gauges, semconv.SYSTEM_FILESYSTEM_UTILIZATION),
        database_connections=int(sum(connections)) if connections else None,
    )


def _busiest(gauges: Gauges, name: str) -> float | None:
    return max(_of_hosts(gauges, name, lambda gauge: gauge.mean), default=None)


def _of_hosts(
    gauges: Gauges, name: str, figure: Callable[[Gauge], float]
) -> list[float]:
    return [figure(gauge) for (each, _), gauge in gauges.items() if each == name]
