"""`manage.py run_monitoring`: a process that may lead where no web server should."""

from __future__ import annotations

import signal
import threading
from typing import TYPE_CHECKING, Any, Final

from django.core.management.base import CommandError

from prs_otel import pipeline
from prs_otel.launcher import deferral
from prs_otel.management import rounds
from prs_otel.management.arguments import add_format
from prs_otel.management.report import Level
from prs_otel.management.reporting import ReportingCommand

if TYPE_CHECKING:
    from types import FrameType

    from django.core.management.base import CommandParser

_ONE_ROUND: Final = frozenset({"--once", "--dry-run"})


class Command(ReportingCommand):
    """Compact, evaluate and notify until told to stop, or once."""

    help = (
        "Do the leader's work (compaction, alerts) in a process of its own, until "
        "SIGTERM or Ctrl-C, or once: exit code 0 done, 1 not all of it, 2 mistaken."
    )

    def run_from_argv(self, argv: list[str]) -> None:
        """Run as a process of its own; one round is not to be among what it looks at."""
        if _ONE_ROUND.intersection(argv):
            deferral.abstain()
        super().run_from_argv(argv)

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare `--once`, `--dry-run` and `--format`."""
        # An abbreviation would not be recognised above.
        parser.allow_abbrev = False
        parser.add_argument(
            "--once",
            action="store_true",
            help="evaluate, send what is due and compact once, where nobody leads",
        )
        parser.add_argument(
            "--dry-run",
            action="store_true",
            help="evaluate once and say what would be told; write and send nothing",
        )
        add_format(parser)

    def handle(self, *args: object, **options: Any) -> None:  # noqa: ANN401 - argparse's
        """Do one round, or stand for election and wait; hands everything over at its end."""
        if not pipeline.is_enabled():
            raise CommandError(
                'Monitoring is switched off: MONITORING_SETTINGS["ENABLED"] is False.',
                returncode=Level.CRITICAL,
            )
        if options["once"] or options["dry_run"]:
            self.end_with(rounds.ROUNDS[options["dry_run"]], options)
            return
        if "format" in options:
            message = "--format is for one round; add --once or --dry-run."
            raise CommandError(message, returncode=Level.CRITICAL)
        self._serve()

    def _serve(self) -> None:
        stopped = threading.Event()

        def stop(_number: int, _frame: FrameType | None) -> None:
            stopped.set()

        previous = {
            number: signal.signal(number, stop)
            for number in (signal.SIGTERM, signal.SIGINT)
        }
        pipeline.serve(is_dedicated=True)
        self.stdout.write(f"Monitoring runs with {pipeline.store().url}")
        try:
            stopped.wait()
        finally:
            for number, handler in previous.items():
                signal.signal(number, handler)
            pipeline.shutdown()
