"""The instrumentors of database drivers, whose work is done here through Django."""

from __future__ import annotations

import sys
from typing import Final

from opentelemetry.instrumentation.instrumentor import (  # type: ignore[attr-defined]
    BaseInstrumentor,
)

DRIVERS: Final = frozenset(
    ("mysql", "mysqlclient", "psycopg", "psycopg2", "pymssql", "pymysql", "sqlite3")
)
"""As OpenTelemetry names them. A second span of each query is all they would add."""


def active() -> frozenset[str]:
    """Return the drivers that are instrumented by themselves at this moment."""
    return frozenset(name for name in DRIVERS if _is_active(name))


def _is_active(name: str) -> bool:
    # One that nobody has imported instruments nothing.
    module = sys.modules.get(f"opentelemetry.instrumentation.{name}")
    return any(
        kind().is_instrumented_by_opentelemetry
        for kind in vars(module or object).values()
        if isinstance(kind, type)
        and issubclass(kind, BaseInstrumentor)
        and kind is not BaseInstrumentor
    )
