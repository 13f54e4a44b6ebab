"""`manage_monitoring alerts`: the document of `/api/alerting/history/`.

Alerting is another package; what builds its document is found in the registry.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from django.core.management.base import CommandError

from prs_otel.management.arguments import MOST_ITEMS, add_hours, add_limit
from prs_otel.management.report import Level, Line, Options, Report
from prs_otel.management.tables import Column, table
from prs_otel.management.units import UNKNOWN, age
from prs_otel.monitoring.registry import ALERTS, DocumentRequest, requested_document

if TYPE_CHECKING:
    from argparse import ArgumentParser

SEVERITIES: Final = ("info", "warning", "error", "critical")
_GRAVE: Final = ("error", "critical")

NOT_INSTALLED: Final = (
    'Alerting is not installed: add "alerting" to INSTALLED_APPS to have alerts.'
)

_COLUMNS: Final = (
    Column("fired (UTC)"),
    Column("severity"),
    Column("state"),
    Column("alert", is_flexible=True),
    Column("value", is_number=True),
    Column("limit", is_number=True),
    Column("lasted", is_number=True),
)


class Alerts:
    """List the alerts of the last hours."""

    name = "alerts"
    help = "alerts of the last hours, and whether they are resolved"

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare `--hours`, `--severity` and `--limit`."""
        add_hours(parser)
        add_limit(parser)
        parser.add_argument(
            "--severity", choices=SEVERITIES, help="only alerts of this severity"
        )

    def run(self, options: Options, *, now: float) -> Report:
        """Ask alerting for its history; a list is no status, so the level stays OK."""
        request = DocumentRequest(
            now=now,
            hours=options["hours"],
            severity=options["severity"],
            limit=options["limit"],
        )
        try:
            document = requested_document(ALERTS, request)
        except Exception as error:
            message = f"The alerts cannot be read: {error}"
            raise CommandError(message, returncode=Level.CRITICAL) from error
        if document is None:
            raise CommandError(NOT_INSTALLED, returncode=Level.CRITICAL)
        return Report(document, lambda width: _lines(document, width))


def _lines(document: Mapping[str, Any], width: int) -> list[Line]:
    items: Sequence[Mapping[str, Any]] = document.get("items", [])
    if not items:
        return [Line("No alerts.")]
    heading, *rows = table(_COLUMNS, [_row(item) for item in items], width=width)
    levels = [_level(item) for item in items]
    return [
        Line(heading, is_heading=True),
        *(Line(row, level) for row, level in zip(rows, levels, strict=True)),
        *_rest(len(items), document.get("count", 0)),
    ]


def _rest(shown: int, count: int) -> list[Line]:
    if shown >= count:
        return []
    return [Line(f"showing {shown:,} of {count:,}; --limit takes up to {MOST_ITEMS:,}")]


def _row(item: Mapping[str, Any]) -> list[str]:
    return [
        _time(_began(item)),
        str(item.get("severity") or UNKNOWN),
        str(item.get("state") or UNKNOWN),
        str(item.get("name") or UNKNOWN),
        _number(item.get("value")),
        _number(item.get("threshold")),
        _lasted(item),
    ]


def _level(item: Mapping[str, Any]) -> Level | None:
    """Colour what is still going on."""
    if item.get("resolved_at"):
        return None
    return Level.CRITICAL if item.get("severity") in _GRAVE else Level.WARNING


def _began(item: Mapping[str, Any]) -> datetime | None:
    """Return when it fired, or began where it has not fired."""
    return _parsed(item.get("fired_at") or item.get("started_at"))


def _lasted(item: Mapping[str, Any]) -> str:
    began, resolved_at = _began(item), _parsed(item.get("resolved_at"))
    if began is None or resolved_at is None:
        return UNKNOWN
    return age((resolved_at - began).total_seconds())


def _parsed(value: object) -> datetime | None:
    """Return an RFC 3339 time, which a document may hold as text or as itself."""
    if isinstance(value, datetime):
        return value
    return datetime.fromisoformat(str(value)) if value else None


def _time(at: datetime | None) -> str:
    return UNKNOWN if at is None else f"{at:%m-%d %H:%M}"


def _number(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, int | float) else UNKNOWN
