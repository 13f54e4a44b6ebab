"""Options that several subcommands take, checked as the API checks them."""

from __future__ import annotations

from argparse import SUPPRESS, ArgumentTypeError
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from argparse import ArgumentParser

MOST_HOURS: Final = 8760.0


def add_format(parser: ArgumentParser) -> None:
    """Declare `--format`; a subcommand may declare it again for its own subcommands."""
    parser.add_argument(
        "--format",
        choices=("table", "json"),
        # No default here: that of an inner parser would replace what an outer one was given.
        default=SUPPRESS,
        help="json is the document that the API answers (default: table)",
    )


def add_hours(parser: ArgumentParser) -> None:
    """Declare `--hours`."""
    parser.add_argument(
        "--hours",
        type=_hours,
        default=24.0,
        help="how far to look back, above 0 and up to 8760 (default: 24)",
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
