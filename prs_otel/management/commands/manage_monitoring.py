"""`manage.py manage_monitoring`: the server's figures, from another process."""

from __future__ import annotations

import os
import shutil
import sys
import time
from typing import Any, Final

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import Error as DatabaseError

from prs_otel.launcher import deferral
from prs_otel.management.arguments import FORMATS, add_format
from prs_otel.management.report import Level, Line, Report, json_text
from prs_otel.management.subcommands import SUBCOMMANDS
from prs_otel.store.base import StoreError

INTERRUPTED: Final = 130
"""The exit code of what Ctrl-C ended, as shells have it."""


class Command(BaseCommand):
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
        try:
            report = self._report(options)
            self._print(report, options)
        except KeyboardInterrupt:
            sys.exit(INTERRUPTED)
        except BrokenPipeError:
            # Whoever read it, such as `head`, has had enough. Python flushes once more.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            sys.exit(Level.WARNING)
        if report.level is not Level.OK:
            sys.exit(report.level)

    def _report(self, options: dict[str, Any]) -> Report:
        given = {**options, "stdout": self.stdout}
        try:
            report: Report = options["run"](given, now=time.time())
        except StoreError as error:
            message = f"The monitoring store cannot be read: {error}"
            raise CommandError(message, returncode=Level.CRITICAL) from error
        except (DatabaseError, ImproperlyConfigured) as error:
            message = f"The database cannot be used: {error}. Try: manage.py migrate"
            raise CommandError(message, returncode=Level.CRITICAL) from error
        return report

    def _print(self, report: Report, options: dict[str, Any]) -> None:
        if report.document is None:
            return
        if options.get("format") == "json":
            self.stdout.write(json_text(report.document))
        else:
            width = shutil.get_terminal_size().columns
            self.stdout.write("\n".join(map(self._painted, report.lines(width))))
        self.stdout.flush()

    def _painted(self, line: Line) -> str:
        if line.is_heading:
            return self.style.MIGRATE_HEADING(line.text)
        if line.level is None:
            return line.text
        paint = {
            Level.OK: self.style.SUCCESS,
            Level.WARNING: self.style.WARNING,
            Level.CRITICAL: self.style.ERROR,
        }
        return paint[line.level](line.text)
