"""`manage_monitoring test-alert`: whether an alert of a rule would reach anybody.

Alerting is another package; what sends the test is found in the registry.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from django.core.management.base import CommandError

from prs_otel.management.report import Level, Line, Options, Report
from prs_otel.management.subcommands.alerts import NOT_INSTALLED
from prs_otel.management.tables import Column, table
from prs_otel.monitoring.registry import (
    TEST_ALERT,
    DocumentRequest,
    requested_document,
)

if TYPE_CHECKING:
    from argparse import ArgumentParser

_COLUMNS: Final = (
    Column("channel"),
    Column("outcome"),
    Column("recipients or reason", is_flexible=True),
)


class TestAlert:
    """Send a marked test notification on every channel."""

    # Its name begins as those do that pytest collects.
    __test__ = False

    name = "test-alert"
    help = "send a test of a rule's notifications; exit code 0 all, 1 some, 2 none told"

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare `--rule-name`."""
        parser.add_argument(
            "--rule-name", required=True, metavar="NAME", help="high_cpu_usage, say"
        )

    def run(self, options: Options, *, now: float) -> Report:
        """Let alerting send it; raises `CommandError` for a rule that there is not."""
        request = DocumentRequest(now=now, name=options["rule_name"])
        try:
            document = requested_document(TEST_ALERT, request)
        except LookupError as error:
            raise CommandError(str(error), returncode=Level.CRITICAL) from error
        if document is None:
            raise CommandError(NOT_INSTALLED, returncode=Level.CRITICAL)
        attempts = _attempts(document)
        return Report(document, lambda width: _lines(document, width), _level(attempts))


def _attempts(document: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    found: Sequence[Mapping[str, Any]] = document["channels"]
    return found


def _level(attempts: Sequence[Mapping[str, Any]]) -> Level:
    delivered = sum(each["outcome"] == "delivered" for each in attempts)
    if not delivered:
        return Level.CRITICAL
    return Level.OK if delivered == len(attempts) else Level.WARNING


def _lines(document: Mapping[str, Any], width: int) -> list[Line]:
    attempts = _attempts(document)
    if not attempts:
        text = "No channel is configured: see CHANNELS in ALERTING_SETTINGS."
        return [Line(text, Level.CRITICAL)]
    rows = [
        [each["channel"], each["outcome"], each["reason"] or _names(each["recipients"])]
        for each in attempts
    ]
    heading, *lines = table(_COLUMNS, rows, width=width)
    levels = [_level([each]) for each in attempts]
    title = f"A test of {document['rule']} ({document['severity']}):"
    return [
        Line(title),
        Line(heading, is_heading=True),
        *(Line(line, level) for line, level in zip(lines, levels, strict=True)),
    ]


def _names(recipients: Sequence[str]) -> str:
    return ", ".join(recipients)
