"""`manage.py run_monitoring`: a process that may lead where no web server should."""

from __future__ import annotations

import signal
import threading
from typing import TYPE_CHECKING

from django.core.management.base import BaseCommand, CommandError

from prs_otel import pipeline

if TYPE_CHECKING:
    from types import FrameType


class Command(BaseCommand):
    """Compact, evaluate and notify until told to stop."""

    help = (
        "Do the leader's work (compaction, alerts) in a process of its own, until "
        "SIGTERM or Ctrl-C."
    )

    def handle(self, *args: object, **options: object) -> None:
        """Stand for election and wait; hands everything over before it ends."""
        if not pipeline.is_enabled():
            raise CommandError(
                'Monitoring is switched off: MONITORING_SETTINGS["ENABLED"] is False.'
            )
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
