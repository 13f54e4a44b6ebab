"""`manage_monitoring export-metrics`: everything that is known, for other programs."""

from __future__ import annotations

import sys
from argparse import ArgumentTypeError
from pathlib import Path
from typing import TYPE_CHECKING, Any

from prs_otel.management import units
from prs_otel.management.arguments import add_hours
from prs_otel.management.export import sections as exported
from prs_otel.management.export.formats import FORMATS, Write
from prs_otel.management.export.output_file import (
    STANDARD_OUTPUT,
    add_output_file,
    writing,
)
from prs_otel.management.export.progress import progress
from prs_otel.management.export.sections import STEPS, Stretch
from prs_otel.management.report import (
    Line,
    Options,
    Report,
    plain,
)
from prs_otel.management.source import opened_view
from prs_otel.monitoring.schemas import Document, WindowDocument

if TYPE_CHECKING:
    from argparse import ArgumentParser

    from prs_otel.rollup.view import MetricsView


class Export(Document):
    """What was written, and how much of what was asked for is known."""

    output_file: str
    records: int
    size_bytes: int
    step: int
    window: WindowDocument


class ExportMetrics:
    """Write trends, endpoints, statements, organisations and users."""

    name = "export-metrics"
    help = "everything that is known of a window, as JSON, CSV or one document a line"
    formats = tuple(FORMATS)

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare `--hours`, `--step` and `--output-file`."""
        add_hours(parser)
        parser.add_argument(
            "--step",
            type=_step,
            help="seconds between two points of the trends (default: up to 400 points)",
        )
        add_output_file(parser)

    def run(self, options: Options, *, now: float) -> Report:
        """Write it; raises `CommandError` for a file that cannot be, `StoreError`."""
        view, seconds = opened_view(), options["hours"] * exported.HOUR
        step = options["step"] or exported.step_for(seconds)
        asked = Stretch(seconds, step, now)
        if options["output_file"] == STANDARD_OUTPUT:
            _export(view, asked, _to(options["stdout"]), options)
            return Report(None, lambda _: [])
        path = Path(options["output_file"])
        with writing(path) as file:
            records = _export(view, asked, file.write, options)
        document = Export(
            output_file=str(path),
            records=records,
            size_bytes=path.stat().st_size,
            step=step,
            window=exported.summarized(view, asked).window,
        )
        return Report(document, lambda _: _lines(document))


def _export(view: MetricsView, asked: Stretch, write: Write, options: Options) -> int:
    parts = exported.pieces(view, asked)
    with progress(sys.stderr, "Exporting", total=len(parts)) as advance:
        trends = exported.trends(view, asked, parts, on_part=advance)
        found = exported.sections(view, asked, trends)
        return FORMATS[options.get("format", "json")](found, write)


def _to(stream: Any) -> Write:  # noqa: ANN401 - Django's wrapper of a stream
    return lambda text: stream.write(text, ending="")


def _lines(export: Export) -> list[Line]:
    size = units.size(export.size_bytes)
    written = f"{export.records:,} records ({size}) written to {export.output_file}"
    asked = units.age(export.window.seconds)
    known = units.age(export.window.covered_seconds)
    return plain([written, f"{asked} asked for, of which {known} known"])


def _step(text: str) -> int:
    if text.isdecimal() and int(text) in STEPS:
        return int(text)
    choices = ", ".join(map(str, STEPS))
    raise ArgumentTypeError(f"{text!r} is not one of {choices} (seconds)")
