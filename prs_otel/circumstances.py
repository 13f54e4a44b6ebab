"""What a process says of how it was started, so that a doctor elsewhere can tell."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Final

LAUNCHED: Final = "prs.process.launched"
"""1 under `opentelemetry-instrument`, else 0."""
INSTRUMENTOR: Final = "prs.process.instrumentor."
"""Before the name of a driver's instrumentor that is active beside ours."""

DRIVERS: Final = (
    "mysql",
    "mysqlclient",
    "psycopg",
    "psycopg2",
    "pymssql",
    "pymysql",
    "sqlite3",
)
"""Instrumentors of database drivers, which would make second spans of our queries."""

_PACKAGE: Final = "opentelemetry.instrumentation"
_LAUNCHER: Final = f"{_PACKAGE}.auto_instrumentation._load"


def figures() -> dict[str, float]:
    """Return how this process was started, as figures of its beat. Imports nothing."""
    found = {LAUNCHED: float(_LAUNCHER in sys.modules)}
    for name in active_drivers():
        found[f"{INSTRUMENTOR}{name}"] = 1.0
    return found


def active_drivers() -> Iterator[str]:
    """Yield the names of the drivers' instrumentors that this process has switched on."""
    for name in DRIVERS:
        module = sys.modules.get(f"{_PACKAGE}.{name}")
        if module is not None and any(map(_is_active, vars(module).values())):
            yield name


def _is_active(candidate: object) -> bool:
    # An instrumentor is the one instance of its class.
    instance = getattr(candidate, "_instance", None)
    return getattr(instance, "is_instrumented_by_opentelemetry", False) is True
