"""`manage_monitoring health-check`: the document of `system/health/?ready=1`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from prs_otel.management.report import Level, Line, Options, Report
from prs_otel.management.tables import Column, table
from prs_otel.monitoring import readiness

if TYPE_CHECKING:
    from argparse import ArgumentParser

    from prs_otel.monitoring.schemas import DetailedHealth, HealthStatus

LEVELS: Final[dict[HealthStatus, Level]] = {
    "healthy": Level.OK,
    "degraded": Level.WARNING,
    "unhealthy": Level.CRITICAL,
}

_COLUMNS: Final = (
    Column("check"),
    Column("status"),
    Column("detail", is_flexible=True),
)


class HealthCheck:
    """Check what a server's process depends on, from this one."""

    name = "health-check"
    help = "database, cache, store, evaluator: exit code 0 healthy, 1 degraded, 2 unhealthy"

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take no options of its own."""

    def run(self, options: Options, *, now: float) -> Report:
        """Check everything anew."""
        readiness.forget()
        document = readiness.readiness(now=now)
        level = LEVELS[document.status]
        return Report(document, lambda width: _lines(document, width), level)


def _lines(health: DetailedHealth, width: int) -> list[Line]:
    rows = [[check.name, check.status, check.detail] for check in health.checks]
    heading, *lines = table(_COLUMNS, rows, width=width)
    levels = [LEVELS[check.status] for check in health.checks]
    return [
        Line(f"Health: {health.status}", LEVELS[health.status]),
        Line(),
        Line(heading, is_heading=True),
        *(Line(line, level) for line, level in zip(lines, levels, strict=True)),
    ]
