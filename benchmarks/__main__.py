"""``python -m benchmarks``: measure, print one table, write it down."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from benchmarks import groups, report
from benchmarks.options import Options

if TYPE_CHECKING:
    from benchmarks.measurement import Measurement

HERE: Final = Path(__file__).resolve().parent
RESULTS: Final = HERE / "results.json"
DOCS: Final = HERE.parent / "docs" / "benchmarks.md"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmarks; returns 1 when a figure is over its budget."""
    asked = _parser().parse_args(arguments)
    measurements: list[Measurement] = []
    with tempfile.TemporaryDirectory(prefix="prs_otel_bench_") as directory:
        options = Options(asked.rounds, Path(directory))
        try:
            for name in asked.only:
                measurements += groups.measure(name, options)
        finally:
            # A group that fails must not take the figures of the others with it.
            report.write_json(measurements, RESULTS)
            print(report.text(measurements), end="")
    if asked.write_docs:
        report.write_docs(measurements, DOCS)
    return int(any(one.verdict == "over" for one in measurements))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--rounds", type=int, default=10, help="rounds per comparison")
    parser.add_argument(
        "--only",
        nargs="+",
        choices=groups.GROUPS,
        default=list(groups.GROUPS),
        metavar="GROUP",
        help=f"of {', '.join(groups.GROUPS)}",
    )
    parser.add_argument(
        "--write-docs",
        action="store_true",
        help="put the tables into docs/benchmarks.md",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
