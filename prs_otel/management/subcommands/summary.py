"""`manage_monitoring summary`: the document of `performance/summary/`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from prs_otel.management import units
from prs_otel.management.arguments import add_hours
from prs_otel.management.report import Line, Options, Report, plain, section
from prs_otel.management.rows import (
    FIGURES,
    endpoint_rows,
    figures,
    query_rows,
    task_rows,
)
from prs_otel.management.source import opened_view
from prs_otel.management.tables import Column, pairs, table
from prs_otel.monitoring import documents

if TYPE_CHECKING:
    from argparse import ArgumentParser

    from prs_otel.monitoring.schemas import Summary

SHOWN: Final = 10
"""Rows of each list on a terminal; `--format json` has them all."""


class ShowSummary:
    """Show what was measured in the last hours, over all workers."""

    name = "summary"
    help = "requests, queries, cache and system of the last hours, over all workers"

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare `--hours`."""
        add_hours(parser)

    def run(self, options: Options, *, now: float) -> Report:
        """Build the summary; raises `StoreError`."""
        document = documents.summary(opened_view(), hours=options["hours"], now=now)
        return Report(document, lambda width: _lines(document, width))


def _lines(summary: Summary, width: int) -> list[Line]:
    return [
        *_window(summary),
        *section("Totals", _totals(summary, width)),
        *_ranking("Endpoints", endpoint_rows(summary.endpoints), width),
        *_ranking("Queries", query_rows(summary.fingerprints), width),
        *_ranking("Tasks", task_rows(summary.tasks.tasks), width),
        *_ranking("Organisations", _organizations(summary), width),
        *section("Cache and system", _system(summary)),
    ]


def _window(summary: Summary) -> list[Line]:
    window = summary.window
    span = f"{window.start:%Y-%m-%d %H:%M:%S} to {window.end:%Y-%m-%d %H:%M:%S} UTC"
    covered = units.age(window.covered_seconds)
    return plain([f"{span} ({units.age(window.seconds)}, of which {covered} known)"])


def _totals(summary: Summary, width: int) -> list[str]:
    rows = [
        ["requests", *figures(summary.requests)],
        ["queries", *figures(summary.queries)],
    ]
    if summary.tasks.count:
        rows.append(["tasks", *figures(summary.tasks)])
    lines = table([Column(""), *FIGURES], rows, width=width)
    findings = summary.queries.n_plus_one_count
    return [*lines, f"requests that repeated a query (N+1): {findings:,}"]


def _ranking(title: str, rows: Sequence[Sequence[str]], width: int) -> list[Line]:
    if not rows:
        return []
    columns = [Column("", is_flexible=True), *FIGURES]
    lines = table(columns, rows[:SHOWN], width=width)
    if len(rows) > SHOWN:
        lines.append(f"and {len(rows) - SHOWN} more: --format json has them all")
    return section(f"{title} by total time", lines)


def _organizations(summary: Summary) -> list[list[str]]:
    organizations = summary.organizations or []
    named = [row for row in organizations if row.organization_id is not None]
    # Without a tenant resolver the only row would repeat the totals.
    if not named:
        return []
    return [[row.organization_id or "(none)", *figures(row)] for row in organizations]


def _system(summary: Summary) -> list[str]:
    cache, system, monitor = summary.cache, summary.system, summary.monitor
    return pairs(
        [
            ("cache hit rate", units.percent(cache.hit_rate if cache else None)),
            ("cpu", units.percent(system.cpu_utilization)),
            ("memory", units.percent(system.memory_utilization)),
            ("disk", units.percent(system.disk_utilization)),
            ("database connections", units.count(system.database_connections)),
            ("workers", f"{monitor.workers} on {monitor.hosts} hosts"),
        ]
    )
