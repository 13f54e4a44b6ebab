"""Keep a driver's own instrumentor from making a second span of a query."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final

from opentelemetry.instrumentation.utils import suppress_instrumentation

Execute = Callable[[object, object, bool, dict[str, Any]], object]

_DEPTH: Final = 3  # a backend's own cursor, an instrumentor's, and one to spare


def is_traced(cursor: object) -> bool:
    """Tell whether what is inside a cursor of Django's makes spans."""
    inner = getattr(cursor, "cursor", None)
    for _ in range(_DEPTH):
        if inner is None:
            return False
        if _makes_spans(type(inner)):
            return True
        inner = getattr(inner, "cursor", None)
    return False


def untraced(execute: Execute) -> Execute:
    """Return `execute` with the spans of other instrumentors suppressed."""

    def suppressed(
        sql: object, params: object, many: bool, context: dict[str, Any]
    ) -> object:
        with suppress_instrumentation():
            return execute(sql, params, many, context)

    return suppressed


# Bounded, as an instrumentor may make a class of its own for each connection.
@lru_cache(maxsize=64)
def _makes_spans(kind: type) -> bool:
    return any(
        base.__module__.startswith("opentelemetry.instrumentation")
        for base in kind.__mro__
    )
