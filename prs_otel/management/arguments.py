"""Options that several subcommands take, checked as the API checks them."""

from __future__ import annotations

from argparse import SUPPRESS, ArgumentTypeError
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from argparse import ArgumentParser

FORMATS: Final = ("table", "json")
MOST_HOURS: Final = 8760.0
MOST_ITEMS: Final = 1000


def add_format(parser: ArgumentParser, formats: Sequence[str] = FORMATS) -> None:
    """Declare `--format`; a subcommand may declare it again for its own subcommands."""
    parser.add_argument(
        "--format",
        choices=formats,
        # No default here: that of an inner parser would replace what an outer one was given.
        default=SUPPRESS,
        help=f"json is the document that the API answers (default: {formats[0]})",
    )


def add_hours(parser: ArgumentParser) -> None:
    """Declare `--hours`."""
    parser.add_argument(
        "--hours",
        type=_hours,
        default=24.0,
        help="how far to look back, above 0 and up to 8760 (default: 24)",
    )


def add_limit(parser: ArgumentParser) -> None:
    """Declare `--limit`."""
    parser.add_argument(
        "--limit",
        type=_limit,
        default=100,
        help=f"at most so many, from 1 to {MOST_ITEMS} (default: 100)",
    )


def _hours(text: str) -> float:
    try:
        hours = float(text)
    except ValueError:
        hours = 0.0
    # Written so that NaN fails too.
    if not 0 < hours <= MOST_HOURS:
        message = f"{text!r} is not a number of hours above 0 and up to 8760"
        raise ArgumentTypeError(message)
    return hours


def _limit(text: str) -> int:
    limit = int(text) if text.isdecimal() else 0
    if not 1 <= limit <= MOST_ITEMS:
        message = f"{text!r} is not a whole number from 1 to {MOST_ITEMS}"
        raise ArgumentTypeError(message)
    return limit
