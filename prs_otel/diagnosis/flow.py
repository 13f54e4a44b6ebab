"""Whether figures arrive, and whether clocks agree on when."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

import psutil

from prs_otel.diagnosis.finding import Finding
from prs_otel.monitoring.documents import monitor
from prs_otel.rollup.view import SERVES

if TYPE_CHECKING:
    from prs_otel.diagnosis.surroundings import Surroundings
    from prs_otel.store.base import Beat

TOLERANCE: Final = 2.0
"""Seconds that clocks may differ by before it is worth a word."""
_REMEMBERED: Final = 600.0
"""Seconds for which the silence of a process that still runs is news."""


def examine(around: Surroundings) -> Iterator[Finding]:
    """Look at the signs of life in the store."""
    yield from _workers(around)
    for beat in around.beats:
        if _is_stuck(beat, around):
            yield Finding(
                "workers",
                "warning",
                f"Process {beat.pid} of {beat.host} runs, but has not flushed for "
                f"{around.now - beat.seen_at:.0f} s.",
                "It may be paused, or out of processor time; its log has what failed.",
            )
    yield from _clocks(around)


def _workers(around: Surroundings) -> Iterator[Finding]:
    workers = around.workers
    if not workers:
        ever = max((beat.seen_at for beat in around.beats), default=None)
        last = "never" if ever is None else f"{around.now - ever:.0f} s ago"
        yield Finding(
            "workers",
            "warning" if around.is_enabled else "ok",
            f"No worker reports; the last flush of any process was: {last}.",
            "The other findings say why." if around.is_enabled else "",
        )
        return
    lag = monitor.flush_lag(workers, now=around.now) or 0.0
    message = f"{len(workers)} workers report; the quietest flushed {lag:.1f} s ago."
    yield Finding("workers", "ok", message)
    yield from _losses(workers)


def _losses(workers: tuple[Beat, ...]) -> Iterator[Finding]:
    dropped = monitor.total(workers, monitor.DROPPED)
    if dropped:
        yield Finding(
            "workers",
            "warning",
            f"{dropped:,} observations were dropped.",
            "The store could not be written for long, or there are more of them than "
            "it takes: see manage_monitoring status.",
        )
    failures: Counter[str] = Counter()
    for worker in workers:
        failures.update(worker.failures)
    if failures:
        places = ", ".join(f"{where} ({n:,})" for where, n in failures.most_common(5))
        message = f"The monitor failed in: {places}."
        remedy = 'Look for "prs_otel failed" in the server\'s log, and report it.'
        yield Finding("workers", "warning", message, remedy)


def _is_stuck(beat: Beat, around: Surroundings) -> bool:
    silence = around.now - beat.seen_at
    return (
        around.patience <= silence < _REMEMBERED
        and bool(beat.figures.get(SERVES, 1))
        and beat.host == around.host
        and _runs(beat)
    )


def _runs(beat: Beat) -> bool:
    try:
        # Another process may have got the number since.
        return psutil.Process(beat.pid).create_time() <= beat.started_at + TOLERANCE
    except psutil.Error:
        return False


def _clocks(around: Surroundings) -> Iterator[Finding]:
    ahead = {
        beat.host: beat.seen_at - around.now
        for beat in around.beats
        if beat.seen_at - around.now > TOLERANCE
    }
    for host, seconds in ahead.items():
        yield Finding(
            "clock",
            "warning",
            f"{host} reported {seconds:.0f} s in the future: a clock was set back, or "
            "that host's is ahead.",
            "Synchronise the clocks (NTP) and restart the server.",
        )
    latest = around.latest
    if not ahead and latest is not None and latest - around.now > TOLERANCE:
        yield Finding(
            "clock",
            "warning",
            f"The newest figures are {latest - around.now:.0f} s in the future: the "
            "clock was set back.",
            "Synchronise the clock; windows that end now do not have them yet.",
        )
