"""Figures as rows of a table, those of endpoints and statements with their names."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from prs_otel.management import units
from prs_otel.management.tables import Column

if TYPE_CHECKING:
    from prs_otel.monitoring.schemas import (
        EndpointFigures,
        FingerprintFigures,
        NamedTaskFigures,
        RequestFigures,
    )

FIGURES: Final = (
    Column("count", is_number=True),
    Column("errors", is_number=True),
    Column("slow", is_number=True),
    Column("mean", is_number=True),
    Column("p95", is_number=True),
    Column("max", is_number=True),
)

_SELECTED: Final = re.compile(r"^(SELECT) .+? (FROM) ")


def endpoint_rows(endpoints: Sequence[EndpointFigures]) -> list[list[str]]:
    """Return a row per endpoint and method."""
    return [[f"{row.method} {row.endpoint}", *figures(row)] for row in endpoints]


def query_rows(fingerprints: Sequence[FingerprintFigures]) -> list[list[str]]:
    """Return a row per statement."""
    return [
        [_abridged(row.query) or row.fingerprint, *figures(row)] for row in fingerprints
    ]


def task_rows(tasks: Sequence[NamedTaskFigures]) -> list[list[str]]:
    """Return a row per task and kind."""
    return [[f"{row.kind} {row.task}", *figures(row)] for row in tasks]


def figures(of_one: RequestFigures) -> list[str]:
    """Return the cells below `FIGURES`."""
    return [
        units.count(of_one.count),
        units.percent(of_one.error_rate),
        units.percent(of_one.slow_rate),
        units.duration(of_one.duration.mean),
        units.duration(of_one.duration.p95),
        units.duration(of_one.duration.max),
    ]


def _abridged(query: str) -> str:
    """Return what tells one query from another in a narrow column: not what it selects."""
    text = query.replace('"', "").replace("`", "")
    return _SELECTED.sub(r"\1 … \2 ", text, count=1)
