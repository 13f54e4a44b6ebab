"""Figures of the view as the documents show them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, TypedDict, TypeVar

from prs_otel.monitoring.schemas import (
    DurationFigures,
    QueryFigures,
    RequestFigures,
    WindowDocument,
)

if TYPE_CHECKING:
    from prs_otel.rollup.figures import Figures
    from prs_otel.rollup.series import Labels
    from prs_otel.rollup.window import Window

KeyT = TypeVar("KeyT")

QUANTILES: Final = (0.5, 0.95, 0.99)


class Common(TypedDict):
    """What every set of figures has, under the names that the schemas give it."""

    count: int
    error_count: int
    error_rate: float
    slow_count: int
    slow_rate: float
    duration: DurationFigures


def common(figures: Figures) -> Common:
    """Return the fields that requests and queries share."""
    return Common(
        count=figures.count,
        error_count=figures.error_count,
        error_rate=figures.error_rate,
        slow_count=figures.slow_count,
        slow_rate=figures.slow_rate,
        duration=duration_figures(figures),
    )


def duration_figures(figures: Figures) -> DurationFigures:
    """Return how long it took, all zero if nothing happened."""
    p50, p95, p99 = figures.quantiles(QUANTILES)
    return DurationFigures(
        mean=figures.mean, p50=p50, p95=p95, p99=p99, max=figures.max
    )


class OfTasks(Common):
    """What figures of tasks have beyond that."""

    query_count: int
    query_duration: float
    n_plus_one_count: int


def of_tasks(figures: Figures) -> OfTasks:
    """Return the fields of tasks, with what their queries were."""
    return OfTasks(
        **common(figures),
        query_count=figures.query_count,
        query_duration=figures.query_time,
        n_plus_one_count=figures.finding_count,
    )


def request_figures(figures: Figures) -> RequestFigures:
    """Return the figures of requests."""
    return RequestFigures(**common(figures))


def query_figures(figures: Figures, *, n_plus_one_count: int) -> QueryFigures:
    """Return the figures of queries."""
    return QueryFigures(**common(figures), n_plus_one_count=n_plus_one_count)


def window_document(window: Window) -> WindowDocument:
    """Return what the figures of `window` are about."""
    return WindowDocument(
        start=utc(window.start),
        end=utc(window.end),
        seconds=window.seconds,
        covered_seconds=window.covered_seconds,
    )


def stretch_document(
    since: float, until: float, *, known_since: float
) -> WindowDocument:
    """Return the same of a stretch of time in a store that has kept all since `known_since`."""
    return WindowDocument(
        start=utc(since),
        end=utc(until),
        seconds=until - since,
        covered_seconds=max(0.0, until - max(known_since, since)),
    )


def with_remainder(
    parts: Mapping[Labels, Figures], total: Figures
) -> list[tuple[str | None, Figures]]:
    """Return the parts by their only label, and under None what `total` has beyond them."""
    rows: list[tuple[str | None, Figures]] = [
        (labels[0], figures) for labels, figures in parts.items()
    ]
    remainder = total.without(parts.values())
    if remainder.count > 0:
        rows.append((None, remainder))
    return rows


def share(part: float, whole: float) -> float:
    """Return `part / whole`, 0 of nothing."""
    return part / whole if whole else 0.0


def heaviest_first(
    rows: Iterable[tuple[KeyT, Figures]],
) -> list[tuple[KeyT, Figures]]:
    """Order rows by the time they took altogether, which is where a reader looks first."""
    return sorted(rows, key=lambda row: (-row[1].total, str(row[0])))


def utc(at: float) -> datetime:
    """Return epoch seconds as a time in UTC."""
    return datetime.fromtimestamp(at, UTC)
