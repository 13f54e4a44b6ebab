"""`manage_monitoring status`: whether monitoring works, with an exit code that says so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from prs_otel import conf, pipeline
from prs_otel.management import status_document, units
from prs_otel.management.report import Level, Line, Options, Report, plain, section
from prs_otel.management.status_document import Findings, Status, StoreStatus
from prs_otel.management.tables import Column, pairs, table
from prs_otel.monitoring.registry import (
    ALERTING,
    PackageStatus,
    StatusRequest,
    requested_status,
)
from prs_otel.store.base import Beat, Store, StoreError

if TYPE_CHECKING:
    from argparse import ArgumentParser

    from prs_otel.monitoring.schemas import WorkerMetrics


class ShowStatus:
    """Show whether measuring, storing and alerting work."""

    name = "status"
    help = "is monitoring working? exit code 0 ok, 1 warning, 2 critical"

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take no options of its own."""

    def run(self, options: Options, *, now: float) -> Report:
        """Look at everything; what cannot be reached becomes a problem, not an error."""
        document, level = status_document.judged(_findings(now), now=now)
        return Report(document, lambda width: _lines(document, level, width), level)


def _findings(now: float) -> Findings:
    is_enabled = pipeline.is_enabled()
    workers = _workers(now) if is_enabled else []
    alerting, alerting_error = _alerting(workers, now)
    others = () if alerting is None else alerting.settings_problems
    return Findings(
        store=_store_status(pipeline.store()) if is_enabled else None,
        workers=workers,
        settings_problems=[*conf.problems(), *others],
        alerting=alerting,
        alerting_error=alerting_error,
        flush_interval=conf.current().flush_interval,
    )


def _store_status(store: Store) -> StoreStatus:
    status: Mapping[str, Any] = store.status()
    return StoreStatus(
        url=status.get("url", store.url),
        is_reachable=status.get("reachable", False),
        size_bytes=status.get("size_bytes"),
        quota_bytes=conf.current().store_quota_mb * 1_000_000,
        last_error=status.get("last_error") or None,
        set_aside=list(status.get("set_aside") or ()),
    )


def _workers(now: float) -> Sequence[Beat]:
    try:
        return pipeline.view().workers(now=now)
    except StoreError:
        # Not lost: the store's own status says that it cannot be used, and why.
        return []


def _alerting(
    workers: Sequence[Beat], now: float
) -> tuple[PackageStatus | None, str | None]:
    since = min((worker.started_at for worker in workers), default=None)
    try:
        return requested_status(ALERTING, StatusRequest(now, since)), None
    except Exception as error:  # noqa: BLE001 - it is told as a problem
        return None, f"{type(error).__name__}: {error}"


def _lines(status: Status, level: Level, width: int) -> list[Line]:
    problems = [
        Line(f"{problem.level}: {problem.message}", Level[problem.level.upper()])
        for problem in status.problems
    ]
    return [
        Line(f"Monitoring: {_headline(status)}", level),
        *problems,
        *_store_lines(status.store),
        *_worker_lines(status.workers, status, width),
        *_alerting_lines(status.alerting),
    ]


def _headline(status: Status) -> str:
    if status.is_enabled:
        return status.status
    return 'switched off by MONITORING_SETTINGS["ENABLED"]'


def _store_lines(store: StoreStatus | None) -> list[Line]:
    if store is None:
        return []
    quota = units.size(store.quota_bytes)
    rows = [("url", store.url), ("size", f"{units.size(store.size_bytes)} of {quota}")]
    return section("Store", pairs(rows))


def _worker_lines(
    workers: Sequence[WorkerMetrics], status: Status, width: int
) -> list[Line]:
    if not workers:
        return []
    columns = [
        Column("host", is_flexible=True),
        *(
            Column(title, is_number=True)
            for title in ("pid", "age", "flushed", "memory", "dropped", "failures")
        ),
    ]
    now = status.time.timestamp()
    rows = [_worker_row(worker, now) for worker in workers]
    failures = [f"failed in {where}: {n:,}" for where, n in status.failures.items()]
    return [
        *section("Workers", table(columns, rows, width=width)),
        *plain(failures),
    ]


def _worker_row(worker: WorkerMetrics, now: float) -> list[str]:
    return [
        worker.host,
        str(worker.pid),
        units.age(now - worker.started_at.timestamp()),
        f"{units.age(now - worker.seen_at.timestamp())} ago",
        units.size(worker.memory_usage),
        units.count(worker.dropped + worker.overflowed),
        units.count(sum(worker.failures.values())),
    ]


def _alerting_lines(alerting: Mapping[str, Any] | None) -> list[Line]:
    if alerting is None:
        return []
    evaluator = alerting.get("evaluator")
    if not isinstance(evaluator, Mapping):
        return section("Alerting", ["no evaluator is running"])
    rows = [(str(name), str(value)) for name, value in evaluator.items()]
    return section("Alerting: evaluator", pairs(rows))
