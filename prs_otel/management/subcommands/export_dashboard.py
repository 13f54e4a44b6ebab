"""`manage_monitoring export-dashboard`: what is exported, on a page of Grafana."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from prs_otel.management.export.output_file import (
    STANDARD_OUTPUT,
    add_output_file,
    writing,
)
from prs_otel.management.report import Options, Report, plain
from prs_otel.promql.grafana import dashboard

if TYPE_CHECKING:
    from argparse import ArgumentParser


class ExportDashboard:
    """Write the dashboard as Grafana imports and provisions it."""

    name = "export-dashboard"
    help = "a Grafana dashboard of the exported metrics"

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare `--output-file`."""
        add_output_file(parser)

    def run(self, options: Options, *, now: float) -> Report:
        """Write the file; raises `CommandError` for one that cannot be written."""
        document = dashboard()
        text = json.dumps(document, indent=2)
        if options["output_file"] == STANDARD_OUTPUT:
            return Report(document, lambda _: plain(text.splitlines()))
        path = Path(options["output_file"])
        with writing(path) as file:
            file.write(f"{text}\n")
        said = f"{len(document['panels'])} charts written to {path}"
        return Report({"output_file": str(path)}, lambda _: plain([said]))
