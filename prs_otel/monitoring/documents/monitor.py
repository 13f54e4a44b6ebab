"""How the monitor itself is doing, as its workers report it with every flush."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from prs_otel import semconv
from prs_otel.monitoring.schemas import MonitorFigures

if TYPE_CHECKING:
    from prs_otel.store.base import Beat

DROPPED: Final = "prs.monitor.dropped"
OVERFLOWED: Final = "prs.monitor.overflowed"
LOST_SPANS: Final = "prs.monitor.lost_spans"
OVERHEAD: Final = "prs.monitor.overhead"


def monitor_figures(workers: Sequence[Beat], *, now: float) -> MonitorFigures:
    """Return the figures of the live `workers` taken together."""
    overheads = [w.figures[OVERHEAD] for w in workers if OVERHEAD in w.figures]
    return MonitorFigures(
        workers=len(workers),
        hosts=len({worker.host for worker in workers}),
        dropped=total(workers, DROPPED),
        overflowed=total(workers, OVERFLOWED),
        lost_spans=total(workers, LOST_SPANS),
        flush_lag_seconds=flush_lag(workers, now=now),
        overhead=sum(overheads) / len(overheads) if overheads else None,
    )


def flush_lag(workers: Sequence[Beat], *, now: float) -> float | None:
    """Return for how long the quietest live worker has not flushed; None without any."""
    lags = [max(0.0, now - worker.seen_at) for worker in workers]
    return max(lags, default=None)


def total(workers: Sequence[Beat], figure: str) -> int:
    """Return the sum of one figure over the workers that report it."""
    return int(sum(worker.figures.get(figure, 0.0) for worker in workers))


def database_connections(workers: Sequence[Beat]) -> int | None:
    """Return how many database connections the workers hold open; None if none says."""
    name = semconv.DB_CLIENT_CONNECTION_COUNT
    if not any(name in worker.figures for worker in workers):
        return None
    return total(workers, name)
