"""The lines of one screen, as many as fit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from prs_otel.management import units
from prs_otel.management.report import Level, Line
from prs_otel.management.rows import FIGURES, endpoint_rows, query_rows
from prs_otel.management.tables import ELLIPSIS, Column, table

if TYPE_CHECKING:
    from prs_otel.management.top.snapshot import Top
    from prs_otel.monitoring.schemas import RequestFigures

_HEAD: Final = 4
_TITLES: Final = 4
"""Lines that are no rows: the headings of two tables, and an empty line below each."""
_COLUMNS: Final = ("count", "errors", "p95", "max")
"""Those of all figures that are shown: names need the space more than the others do."""
_FEWEST: Final = 2
_ALERTS_SHOWN: Final = 4
_GRAVE: Final = ("error", "critical")


def screen(top: Top, *, width: int, height: int) -> list[Line]:
    """Return at most `height` lines of at most `width` characters."""
    alerts = _alerts(top.alerts)[:_ALERTS_SHOWN]
    rows = max(height - _HEAD - _TITLES - len(alerts), 2 * _FEWEST)
    queries = query_rows(top.fingerprints)[: max(rows // 2, _FEWEST)]
    # What the queries leave is for the endpoints.
    endpoints = endpoint_rows(top.endpoints)[: rows - len(queries)]
    lines = [
        *_head(top),
        *_table("endpoint", endpoints, width),
        Line(),
        *_table("query", queries, width),
        Line(),
        *alerts,
    ]
    return [_cut(line, width) for line in lines[:height]]


def trouble(message: str, *, width: int) -> list[Line]:
    """Return a screen that says why there are no figures at the moment."""
    text = f"{message} Trying again; q ends."
    return [_cut(Line(text, Level.CRITICAL), width)]


def _head(top: Top) -> list[Line]:
    window, system = top.window, top.system
    seconds = min(window.seconds, window.covered_seconds)
    monitor = f"workers {top.monitor.workers} on {top.monitor.hosts}"
    title = (
        f"{top.time:%H:%M:%S} UTC  last {units.age(window.seconds)}"
        f" ({units.age(seconds)} known)  {monitor}  q: quit"
    )
    return [
        Line(title, is_heading=True),
        Line(f"{_flow('requests', top.requests, seconds)}"),
        Line(f"{_flow('queries ', top.queries, seconds)}"),
        Line(
            f"cpu {units.percent(system.cpu_utilization)}"
            f"  memory {units.percent(system.memory_utilization)}"
            f"  disk {units.percent(system.disk_utilization)}"
            f"  connections {units.count(system.database_connections)}"
            f"  cache hits {units.percent(top.cache.hit_rate)}"
        ),
    ]


def _flow(name: str, figures: RequestFigures, seconds: float) -> str:
    rate = figures.count / seconds if seconds else 0.0
    return (
        f"{name} {rate:8.1f}/s  errors {units.percent(figures.error_rate):>7}"
        f"  slow {units.percent(figures.slow_rate):>7}"
        f"  p95 {units.duration(figures.duration.p95):>8}"
    )


def _table(title: str, rows: Sequence[Sequence[str]], width: int) -> list[Line]:
    columns = [Column(title, is_flexible=True), *FIGURES]
    kept = [0, *(i for i, each in enumerate(columns) if each.title in _COLUMNS)]
    heading, *lines = table(
        [columns[i] for i in kept],
        [[row[i] for i in kept] for row in rows],
        width=width,
    )
    return [Line(heading, is_heading=True), *map(Line, lines)]


def _alerts(alerts: Sequence[Mapping[str, Any]] | None) -> list[Line]:
    if alerts is None:
        return [Line("alerts cannot be read, or alerting is not installed")]
    if not alerts:
        return [Line("no open alerts")]
    return [_alert(each) for each in alerts]


def _alert(alert: Mapping[str, Any]) -> Line:
    level = Level.CRITICAL if alert.get("severity") in _GRAVE else Level.WARNING
    words = (alert.get("severity"), alert.get("name"), alert.get("message"))
    return Line("  ".join(str(word) for word in words if word), level)


def _cut(line: Line, width: int) -> Line:
    """Keep a line from steering the terminal and from being wider; spaces stay."""
    text = "".join(filter(str.isprintable, line.text))
    if len(text) > width:
        text = text[: width - 1] + ELLIPSIS
    return Line(text, line.level, line.is_heading)
