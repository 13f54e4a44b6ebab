"""`manage.py manage_monitoring`: the server's figures, from another process."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from prs_otel.launcher import deferral
from prs_otel.management.arguments import FORMATS, add_format
from prs_otel.management.reporting import ReportingCommand
from prs_otel.management.subcommands import SUBCOMMANDS

if TYPE_CHECKING:
    from django.core.management.base import CommandParser


class Command(ReportingCommand):
    """Dispatch to the subcommand and print its report."""

    help = "Show what was measured, and whether monitoring itself works."
    # Mistakes in the settings are for `status` to show; they must not keep it from running.
    requires_system_checks: tuple[str, ...] = ()

    def run_from_argv(self, argv: list[str]) -> None:
        """Run as a process of its own, which is not to be among what it looks at."""
        deferral.abstain()
        super().run_from_argv(argv)

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare every subcommand with its own options and `--format`."""
        parsers = parser.add_subparsers(dest="subcommand", required=True)
        for subcommand in SUBCOMMANDS:
            child = parsers.add_parser(subcommand.name, help=subcommand.help)
            add_format(child, getattr(subcommand, "formats", FORMATS))
            subcommand.add_arguments(child)
            child.set_defaults(run=subcommand.run)

    def handle(self, *args: object, **options: Any) -> None:  # noqa: ANN401 - argparse's
        """Run it; the process ends with the report's level as its exit code."""
        given = {**options, "stdout": self.stdout}
        self.end_with(lambda: options["run"](given, now=time.time()), options)
