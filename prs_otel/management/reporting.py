"""Commands that end with a report: printed as a table or JSON, its level as their exit code."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable
from typing import Any, Final, Literal

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError
from django.db import Error as DatabaseError

from prs_otel.management.report import Level, Line, Options, Report, json_text
from prs_otel.store.base import StoreError

CheckOptions = dict[
    str | None, list[str] | tuple[str, ...] | tuple[()] | Literal["__all__"] | None
]
INTERRUPTED: Final = 130
"""The exit code of what Ctrl-C ended, as shells have it."""


class ReportingCommand(BaseCommand):
    """A command that says what it has to in a report."""

    def get_check_kwargs(self, options: dict[str, Any]) -> CheckOptions:
        """Ask no database for its features, as these commands must start without one."""
        return {**super().get_check_kwargs(options), "databases": ()}

    def end_with(self, produce: Callable[[], Report], options: Options) -> None:
        """Print what `produce` returns; the process ends with its level as exit code."""
        try:
            report = _produced(produce)
            self._print(report, options)
        except KeyboardInterrupt:
            sys.exit(INTERRUPTED)
        except BrokenPipeError:
            # Whoever read it, such as `head`, has had enough. Python flushes once more.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            sys.exit(Level.WARNING)
        if report.level is not Level.OK:
            sys.exit(report.level)

    def _print(self, report: Report, options: Options) -> None:
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
        paint: dict[Level, Callable[[Any], str]] = {
            Level.OK: self.style.SUCCESS,
            Level.WARNING: self.style.WARNING,
            Level.CRITICAL: self.style.ERROR,
        }
        return paint[line.level](line.text)


def _produced(produce: Callable[[], Report]) -> Report:
    try:
        return produce()
    except StoreError as error:
        message = f"The monitoring store cannot be read: {error}"
        raise CommandError(message, returncode=Level.CRITICAL) from error
    except (DatabaseError, ImproperlyConfigured) as error:
        message = f"The database cannot be used: {error}. Try: manage.py migrate"
        raise CommandError(message, returncode=Level.CRITICAL) from error
