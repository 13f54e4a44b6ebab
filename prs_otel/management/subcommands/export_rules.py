"""`manage_monitoring export-rules`: the alert rules, for the engines that others run.

Alerting is another package; what builds the files is found in the registry.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from django.core.management.base import CommandError

from prs_otel.management.export.output_file import (
    STANDARD_OUTPUT,
    add_output_file,
    writing,
)
from prs_otel.management.report import Level, Line, Options, Report, plain
from prs_otel.management.subcommands.alerts import NOT_INSTALLED
from prs_otel.monitoring.registry import (
    EXPORTED_RULES,
    DocumentRequest,
    requested_document,
)

if TYPE_CHECKING:
    from argparse import ArgumentParser

TARGETS: Final = ("prometheus", "mimir", "alertmanager")
SOURCES: Final = ("otlp", "scrape")
_LEVELS: Final = {
    "exact": None,
    "approximate": Level.WARNING,
    "not exportable": Level.CRITICAL,
}


class ExportRules:
    """Write recording and alerting rules, and say of each how true it is to itself."""

    name = "export-rules"
    help = (
        "the alert rules for Prometheus or Mimir, and their inhibition for Alertmanager"
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare `--target`, `--source` and `--output-file`."""
        parser.add_argument(
            "--target",
            choices=TARGETS,
            default=TARGETS[0],
            help="who is to read it; alertmanager gets the inhibition (default: %(default)s)",
        )
        parser.add_argument(
            "--source",
            choices=SOURCES,
            default=SOURCES[0],
            help="how the metrics get there; both give them the same names "
            "(default: %(default)s)",
        )
        add_output_file(parser)

    def run(self, options: Options, *, now: float) -> Report:
        """Write the file; raises `CommandError` for one that cannot be written."""
        document = requested_document(EXPORTED_RULES, DocumentRequest(now=now))
        if document is None:
            raise CommandError(NOT_INSTALLED)
        files: Any = document["files"]
        text, rules = str(files[options["target"]]), document["rules"]
        if options["output_file"] == STANDARD_OUTPUT:
            # The file is for programs as it is; its head says what the report would.
            return Report({"file": text, "rules": rules}, lambda _: _as_it_is(text))
        path = Path(options["output_file"])
        with writing(path) as file:
            file.write(text)
        written = {"output_file": str(path), "rules": rules}
        return Report(written, lambda _: _lines(rules, path))


def _as_it_is(text: str) -> list[Line]:
    return plain(text.splitlines())


def _lines(rules: Any, file: Path) -> list[Line]:  # noqa: ANN401 - from a document
    lines = [Line(f"{len(rules)} rules written to {file}", is_heading=True)]
    for rule in rules:
        level = _LEVELS.get(str(rule["fidelity"]))
        lines.append(Line(f"{rule['name']}: {rule['fidelity']}", level))
        lines += [Line(f"  - {reason}") for reason in rule["reasons"]]
    return lines
