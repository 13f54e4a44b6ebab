"""`manage_monitoring cleanup` and `reset-counters`: tidy the store, and say what was done."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

from django.core.management.base import CommandError

from prs_otel.management import units
from prs_otel.management.report import Level, Line, Options, Report, plain
from prs_otel.management.source import opened_view
from prs_otel.management.tables import pairs
from prs_otel.monitoring import documents

if TYPE_CHECKING:
    from argparse import ArgumentParser

_QUESTION: Final = (
    "Everything measured so far, by all workers, will be dropped. Go on? [y/N] "
)


class Cleanup:
    """Drop what is too old or too much."""

    name = "cleanup"
    help = "drop figures and alerts older than the retention or beyond the quota"

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take no options of its own."""

    def run(self, options: Options, *, now: float) -> Report:
        """Clean up; raises `CommandError`, `StoreError`."""
        done = documents.cleanup(opened_view(), now=now)
        rows = [
            ("expired buckets", units.count(done.expired_buckets)),
            ("evicted buckets", units.count(done.evicted_buckets)),
            ("removed", units.size(done.removed_bytes)),
            ("removed queries", units.count(done.removed_queries)),
            ("removed processes", units.count(done.removed_processes)),
            *(
                (f"removed {kind.replace('_', ' ')}", units.count(count))
                for kind, count in done.removed_rows.items()
            ),
        ]
        level = Level.WARNING if done.problems else Level.OK
        problems = [
            Line(f"Nothing could be removed of {problem}", level)
            for problem in done.problems
        ]
        return Report(done, lambda _: [*plain(pairs(rows)), *problems], level)


class ResetCounters:
    """Start to count from zero."""

    name = "reset-counters"
    help = "drop every figure, so that counting starts from zero"

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare `--yes`."""
        parser.add_argument("--yes", action="store_true", help="do not ask")

    def run(self, options: Options, *, now: float) -> Report:
        """Reset once that is confirmed; raises `CommandError`, `StoreError`."""
        view = opened_view()
        if not options["yes"]:
            _ask()
        done = documents.reset_counters(view, now=now)
        rows = [
            ("removed buckets", units.count(done.removed_buckets)),
            ("removed", units.size(done.removed_bytes)),
            ("processes counting anew", units.count(done.processes)),
            ("processes not heard of", units.count(done.missed)),
        ]
        return Report(done, lambda _: plain(pairs(rows)))


def _ask() -> None:
    """Return when a person has agreed; raises `CommandError` otherwise."""
    if not sys.stdin.isatty():
        message = "Nobody is there to be asked, so nothing was reset; --yes confirms."
        raise CommandError(message, returncode=Level.CRITICAL)
    # The prompt must not become part of a document on standard output.
    sys.stderr.write(_QUESTION)
    sys.stderr.flush()
    try:
        answer = sys.stdin.readline()
    except KeyboardInterrupt:
        answer = ""
    if answer.strip().lower() not in {"y", "yes"}:
        raise CommandError("Nothing was reset.", returncode=Level.WARNING)
