"""The table of a run: for a terminal, as JSON, and inside docs/benchmarks.md."""

from __future__ import annotations

import json
import os
import platform
import re
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from itertools import groupby
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

    from benchmarks.measurement import Measurement

HEADER: Final = ("what", "measured", "spread", "budget", "verdict")
FIGURES: Final = re.compile(
    r"(<!-- figures:begin -->\n).*(<!-- figures:end -->)", re.DOTALL
)
PACKAGES: Final = (
    "prs-otel",
    "django",
    "opentelemetry-sdk",
    "opentelemetry-instrumentation-django",
    "opentelemetry-instrumentation-sqlite3",
    "django-prometheus",
    "sentry-sdk",
)

Row = tuple[str, ...]


def text(measurements: Sequence[Measurement]) -> str:
    """Return one aligned table for a terminal."""
    rows = [HEADER, *map(_row, measurements)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(_aligned(row, widths) for row in rows) + "\n"


def markdown(measurements: Sequence[Measurement]) -> str:
    """Return one Markdown table per group, and what it was measured with."""
    parts = [f"Measured {_today()}: {'; '.join(_surroundings())}.\n"]
    for group, members in groupby(measurements, key=lambda one: one.group):
        parts += [f"\n### {group[0].upper()}{group[1:]}\n\n", _markdown_row(HEADER)]
        parts.append(_markdown_row(("---", "---:", "---:", "---:", "---")))
        parts += [_markdown_row(_row(one)) for one in members]
    return "".join(parts)


def write_json(measurements: Sequence[Measurement], path: Path) -> None:
    """Write every figure with its verdict."""
    document = {
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "surroundings": _surroundings(),
        "measurements": [
            asdict(one) | {"verdict": one.verdict} for one in measurements
        ],
    }
    path.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n")


def write_docs(measurements: Sequence[Measurement], path: Path) -> None:
    """Replace the tables between the two markers of the page at ``path``."""
    tables = markdown(measurements)
    page = path.read_text()
    path.write_text(FIGURES.sub(lambda found: f"{found[1]}{tables}{found[2]}", page))


def _row(one: Measurement) -> Row:
    spread = "" if one.low == one.high else f"{_number(one.low)} … {_number(one.high)}"
    limit = "" if one.limit is None else f"≤ {_number(one.limit)}"
    return (
        one.subject,
        f"{_number(one.value)} {one.unit}".rstrip(),
        spread,
        limit,
        one.verdict,
    )


def _number(value: float) -> str:
    """Write three significant digits, and large numbers in full."""
    return (
        f"{value:,.0f}" if abs(value) >= 100 or value == int(value) else f"{value:.3g}"
    )


def _aligned(row: Row, widths: Sequence[int]) -> str:
    first, *others = (
        cell.ljust(width) if index in {0, len(row) - 1} else cell.rjust(width)
        for index, (cell, width) in enumerate(zip(row, widths, strict=True))
    )
    return "  ".join((first, *others)).rstrip()


def _markdown_row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |\n"


def _today() -> str:
    return datetime.now(UTC).date().isoformat()


def _surroundings() -> list[str]:
    machine = f"{platform.python_implementation()} {platform.python_version()}"
    return [
        f"{machine}, {os.cpu_count()} cores, {platform.system()} {platform.machine()}",
        *filter(None, map(_versioned, PACKAGES)),
    ]


def _versioned(package: str) -> str:
    try:
        return f"{package} {version(package)}"
    except PackageNotFoundError:
        return ""
