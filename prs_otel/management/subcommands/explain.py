"""`manage_monitoring explain`: why a rule did or did not notify, step by step.

Alerting is another package; what explains is found in the registry.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from django.core.management.base import CommandError

from prs_otel.management.report import Level, Line, Options, Report
from prs_otel.management.subcommands.alerts import NOT_INSTALLED
from prs_otel.management.tables import Column, shortened, table
from prs_otel.monitoring.registry import (
    EXPLANATION,
    DocumentRequest,
    requested_document,
)

if TYPE_CHECKING:
    from argparse import ArgumentParser

# What keeps a rule from being evaluated at all; a value that is not beyond is no fault.
_FAULTS: Final = frozenset({"rule", "evaluator", "health"})
_REASONS: Final = (Column("step"), Column(""), Column("why", is_flexible=True))
_DELIVERIES: Final = (
    Column("time (UTC)"),
    Column("step"),
    Column("channel"),
    Column("outcome"),
    Column("reason", is_flexible=True),
)


class Explain:
    """Say why a rule fires or does not, and who was told of its latest alerts."""

    name = "explain"
    help = "why a rule does or does not fire, and who was told of its latest alerts"

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare `--rule-name`."""
        parser.add_argument(
            "--rule-name", required=True, metavar="NAME", help="high_cpu_usage, say"
        )

    def run(self, options: Options, *, now: float) -> Report:
        """Ask alerting; a warning where the rule cannot be evaluated at all."""
        request = DocumentRequest(now=now, name=options["rule_name"])
        found = requested_document(EXPLANATION, request)
        if found is None:
            raise CommandError(NOT_INSTALLED, returncode=Level.CRITICAL)
        document: Mapping[str, Any] = found
        level = max(map(_level, document["reasons"]), default=Level.OK)
        return Report(document, lambda width: list(_lines(document, width)), level)


def _level(reason: Mapping[str, Any]) -> Level:
    is_fault = reason["step"] in _FAULTS and not reason["passes"]
    return Level.WARNING if is_fault else Level.OK


def _lines(document: Mapping[str, Any], width: int) -> Iterator[Line]:
    verdict = document["verdict"] or "nothing holds it up"
    yield Line(shortened(f"{document['rule']}: {verdict}", width))
    rows = [
        [each["step"], "yes" if each["passes"] else "no", each["text"]]
        for each in document["reasons"]
    ]
    heading, *lines = table(_REASONS, rows, width=width)
    yield Line(heading, is_heading=True)
    for line, reason in zip(lines, document["reasons"], strict=True):
        yield Line(line, _level(reason) or None)
    for alert in document["alerts"]:
        yield from _told(alert, width)


def _told(explained: Mapping[str, Any], width: int) -> Iterator[Line]:
    alert = explained["alert"]
    title = f"{alert['severity']}, {alert['state']}: {alert['message']}"
    yield Line()
    yield Line(shortened(title, width))
    rows = [
        [_time(step["time"]), step["kind"], each["channel"], each["state"], _why(each)]
        for step in explained["steps"]
        for each in step["deliveries"]
    ]
    if rows:
        heading, *lines = table(_DELIVERIES, rows, width=width)
        yield Line(heading, is_heading=True)
        yield from map(Line, lines)


def _time(text: str) -> str:
    return text[:19].replace("T", " ")


def _why(delivery: Mapping[str, Any]) -> str:
    return str(delivery["reason"] or delivery["last_error"])
