"""What `manage_monitoring status` tells, and how bad it is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime  # noqa: TC003 - pydantic evaluates it
from typing import TYPE_CHECKING, Any, Final

from prs_otel.management.report import Level
from prs_otel.monitoring.documents.figures import utc
from prs_otel.monitoring.documents.monitor import monitor_figures
from prs_otel.monitoring.documents.system import worker_metrics
from prs_otel.monitoring.registry import plain_document
from prs_otel.monitoring.schemas import Document, MonitorFigures, WorkerMetrics

if TYPE_CHECKING:
    from prs_otel.monitoring import registry
    from prs_otel.store.base import Beat

SILENT_AFTER: Final = 3
"""Flush intervals a worker may miss before its silence is worth a warning."""


class StoreStatus(Document):
    """Where the figures are kept, and whether that works."""

    url: str
    is_reachable: bool
    size_bytes: int | None
    quota_bytes: int
    last_error: str | None
    set_aside: list[str]


class SettingsProblem(Document):
    """A mistake in the settings, and what to write instead."""

    key: str
    message: str
    hint: str


class Problem(Document):
    """Something that is not as it should be."""

    level: str
    message: str


class Status(Document):
    """How monitoring and alerting are doing; `alerting` is null where not installed."""

    status: str
    time: datetime
    is_enabled: bool
    problems: list[Problem]
    store: StoreStatus | None
    monitor: MonitorFigures
    workers: list[WorkerMetrics]
    failures: dict[str, int]
    settings_problems: list[SettingsProblem]
    alerting: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class Findings:
    """What was found out, before it is judged; `store` None means switched off."""

    store: StoreStatus | None
    workers: Sequence[Beat]
    settings_problems: Sequence[registry.SettingsProblem]
    alerting: registry.PackageStatus | None
    alerting_error: str | None
    flush_interval: float


def judged(findings: Findings, *, now: float) -> tuple[Status, Level]:
    """Judge what was found; the level is the worst of all problems."""
    problems = list(_problems(findings, now=now))
    level = max((found for found, _ in problems), default=Level.OK)
    document = Status(
        status=level.name.lower(),
        time=utc(now),
        is_enabled=findings.store is not None,
        problems=[
            Problem(level=found.name.lower(), message=message)
            for found, message in problems
        ],
        store=findings.store,
        monitor=monitor_figures(findings.workers, now=now),
        workers=[worker_metrics(worker) for worker in findings.workers],
        failures=_failures(findings.workers),
        settings_problems=[
            SettingsProblem(key=each.key, message=each.message, hint=each.hint)
            for each in findings.settings_problems
        ],
        alerting=_alerting_document(findings),
    )
    return document, level


def _problems(findings: Findings, *, now: float) -> Iterator[tuple[Level, str]]:
    if findings.store is not None:
        yield from _store_problems(findings.store)
        yield from _worker_problems(findings, now=now)
    for each in findings.settings_problems:
        yield Level.WARNING, f"{each.message} {each.hint}"
    if findings.alerting_error is not None:
        message = f"The status of alerting cannot be had: {findings.alerting_error}"
        yield Level.WARNING, message
    for problem in findings.alerting.problems if findings.alerting else ():
        yield Level[problem.level.upper()], problem.message


def _store_problems(store: StoreStatus) -> Iterator[tuple[Level, str]]:
    if not store.is_reachable:
        reason = store.last_error or "no reason given"
        yield Level.CRITICAL, f"The store cannot be used: {reason}"
    elif store.last_error is not None:
        yield Level.WARNING, f"The store failed lately: {store.last_error}"
    if store.set_aside:
        names = ", ".join(store.set_aside)
        yield Level.WARNING, f"Unreadable store files were set aside: {names}"


def _worker_problems(findings: Findings, *, now: float) -> Iterator[tuple[Level, str]]:
    monitor = monitor_figures(findings.workers, now=now)
    if not findings.workers:
        yield Level.WARNING, "No worker reports: is the server running as this user?"
    lag = monitor.flush_lag_seconds
    if lag is not None and lag > SILENT_AFTER * findings.flush_interval:
        yield Level.WARNING, f"A worker has not flushed for {lag:.0f} s"
    if monitor.dropped:
        yield Level.WARNING, f"{monitor.dropped:,} observations were dropped"
    failures = sum(_failures(findings.workers).values())
    if failures:
        yield Level.WARNING, f"The monitor failed {failures:,} times; see its log"


def _alerting_document(findings: Findings) -> dict[str, Any] | None:
    alerting = findings.alerting
    return None if alerting is None else plain_document(alerting.document)


def _failures(workers: Sequence[Beat]) -> dict[str, int]:
    """Return how often each place of the monitor failed, over all live workers."""
    total: Counter[str] = Counter()
    for worker in workers:
        total.update(worker.failures)
    return dict(total)
