"""Maintain the store, and tell what was done."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from prs_otel import conf, maintenance, pipeline
from prs_otel.monitoring.registry import requested_cleanup
from prs_otel.monitoring.schemas import CleanupDone, CompactDone, ResetDone
from prs_otel.plan import Plan

if TYPE_CHECKING:
    from prs_otel.rollup.view import MetricsView

_FLUSH_PATIENCE: Final = 1.0


def cleanup(view: MetricsView, *, now: float) -> CleanupDone:
    """Drop what is too old or too much, also of other packages; raises `StoreError`."""
    done, others = trim(view, now=now), requested_cleanup(now)
    also = {
        "removed_rows": dict(others.removed),
        "problems": list(others.problems),
    }
    return done.model_copy(update=also)


def trim(view: MetricsView, *, now: float) -> CleanupDone:
    """Drop what is too old or too much of the store alone; raises `StoreError`."""
    done = maintenance.cleanup(view.store, _plan(), now)
    return CleanupDone(**asdict(done), removed_rows={}, problems=[])


def reset_counters(view: MetricsView, *, now: float) -> ResetDone:
    """Let every figure of all processes start from zero; raises `StoreError`.

    Takes a second or two, in which they are told.
    """
    done = maintenance.reset_counters(
        view,
        now=now,
        patience=maintenance.PATIENCE,
        flush=lambda: pipeline.flush(_FLUSH_PATIENCE),
    )
    since = datetime.fromtimestamp(done.since, UTC)
    return ResetDone(**{**asdict(done), "since": since})


def compact(view: MetricsView, *, now: float) -> CompactDone:
    """Merge what is due; raises `StoreError`."""
    return CompactDone(**asdict(maintenance.compact(view.store, _plan(), now)))


ACTIONS: Final[Mapping[str, Callable[..., CleanupDone | ResetDone | CompactDone]]] = {
    "cleanup": cleanup,
    "reset_counters": reset_counters,
    "compact": compact,
}


def _plan() -> Plan:
    return Plan.of(conf.current(), directory=conf.project_directory())
