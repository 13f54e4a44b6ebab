"""`--output-file`: where what a subcommand exports goes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, TextIO

from django.core.management.base import CommandError

from prs_otel.management.export.atomic_file import replacing
from prs_otel.management.report import Level

if TYPE_CHECKING:
    from argparse import ArgumentParser
    from pathlib import Path

STANDARD_OUTPUT: Final = "-"


def add_output_file(parser: ArgumentParser) -> None:
    """Declare `--output-file`."""
    parser.add_argument(
        "--output-file",
        default=STANDARD_OUTPUT,
        metavar="FILE",
        help="replaced once it is complete; - is standard output (default: -)",
    )


@contextmanager
def writing(path: Path) -> Iterator[TextIO]:
    """Give a file as `replacing` does; say in words why one cannot be written."""
    try:
        with replacing(path) as file:
            yield file
    except FileNotFoundError as error:
        message = f"{path.parent} does not exist; create the directory first"
        raise CommandError(message, returncode=Level.CRITICAL) from error
    except OSError as error:
        message = f"{path} cannot be written: {error.strerror or error}"
        raise CommandError(message, returncode=Level.CRITICAL) from error
