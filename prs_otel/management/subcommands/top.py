"""`manage_monitoring top`: what goes on right now."""

from __future__ import annotations

import os
import sys
import time
from argparse import ArgumentTypeError
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from django.core.management.base import CommandError

from prs_otel.management.export.progress import is_rich_installed
from prs_otel.management.report import Level, Line, Options, Report
from prs_otel.management.source import opened_view
from prs_otel.management.top.keyboard import keys
from prs_otel.management.top.screen import screen, trouble
from prs_otel.management.top.snapshot import snapshot
from prs_otel.store.base import StoreError

if TYPE_CHECKING:
    from argparse import ArgumentParser

    from prs_otel.rollup.view import MetricsView

MOST_MINUTES: Final = 1440.0
SHORTEST_INTERVAL: Final = 0.2
LONGEST_INTERVAL: Final = 3600.0
MISSING: Final = (
    "The live screen needs rich: pip install 'prs-otel[cli]'. Without it, "
    "manage_monitoring top | cat prints once."
)
_LINES: Final = 40
"""Lines of a screen that is printed once."""


class Top:
    """Show endpoints, queries, system and open alerts, again and again."""

    name = "top"
    help = "a live screen of endpoints, queries and alerts; q ends it"

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare `--minutes`, `--interval` and `--iterations`."""
        parser.add_argument(
            "--minutes",
            type=_minutes,
            default=5.0,
            help="how far to look back, above 0 and up to 1440 (default: 5)",
        )
        parser.add_argument(
            "--interval",
            type=_interval,
            default=2.0,
            help="seconds between two screens, 0.2 to 3600 (default: 2)",
        )
        parser.add_argument(
            "--iterations", type=_iterations, help="end after so many screens"
        )

    def run(self, options: Options, *, now: float) -> Report:
        """Show it live on a terminal, once elsewhere; raises `StoreError`."""
        view, seconds = opened_view(), options["minutes"] * 60
        if _is_live(options):
            _watch(view, seconds, options)
            return Report(None, lambda _: [])
        document = snapshot(view, seconds=seconds, now=now)
        return Report(
            document, lambda width: screen(document, width=width, height=_LINES)
        )


def _is_live(options: Options) -> bool:
    is_terminal = options["stdout"].isatty() and os.environ.get("TERM") != "dumb"
    return is_terminal and options.get("format") != "json"


def _watch(view: MetricsView, seconds: float, options: Options) -> None:
    if not is_rich_installed():
        raise CommandError(MISSING, returncode=Level.CRITICAL)
    # Imported here: it belongs to the extra `cli`.
    from prs_otel.management.top.live import watch

    def draw(width: int, height: int) -> list[Line]:
        try:
            top = snapshot(view, seconds=seconds, now=time.time())
        except StoreError as error:
            return trouble(f"The store cannot be read: {error}.", width=width)
        return screen(top, width=width, height=height)

    # Ctrl-C is as good a way to end it as q.
    with suppress(KeyboardInterrupt), keys(sys.stdin) as wait:
        watch(
            draw,
            out=sys.stdout,
            wait=wait,
            interval=options["interval"],
            iterations=options["iterations"],
        )


def _minutes(text: str) -> float:
    return _number(
        text, 0.0, MOST_MINUTES, "a number of minutes above 0 and up to 1440"
    )


def _interval(text: str) -> float:
    what = "a number of seconds from 0.2 to 3600"
    return _number(text, SHORTEST_INTERVAL, LONGEST_INTERVAL, what)


def _number(text: str, least: float, most: float, what: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    # Written so that NaN fails too.
    if not (least <= number <= most and number > 0):
        raise ArgumentTypeError(f"{text!r} is not {what}")
    return number


def _iterations(text: str) -> int:
    if not (text.isdecimal() and int(text) > 0):
        raise ArgumentTypeError(f"{text!r} is not a whole number, 1 or more")
    return int(text)
