"""Keep a driver's own instrumentor from making a second span of a query."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from opentelemetry.instrumentation.utils import suppress_instrumentation

Execute = Callable[[object, object, bool, dict[str, Any]], object]

_PLAIN: Final = 0
_TRACED: Final = 1
_AROUND_ANOTHER: Final = 2
_DEPTH: Final = 3  # some backends have a cursor of their own around the driver's
_KINDS_LIMIT: Final = 64  # an instrumentor may make a class for each connection

_kinds: dict[type, int] = {}


def is_traced(cursor: object) -> bool:
    """Tell whether the driver's cursor inside one of Django's makes spans."""
    inner: object = cursor
    for _ in range(_DEPTH):
        inner = getattr(inner, "cursor", inner)
        kind = _kinds.get(type(inner))
        if kind is None:
            kind = _learn(inner)
        if kind != _AROUND_ANOTHER:
            return kind == _TRACED
    return False


def untraced(execute: Execute) -> Execute:
    """Return `execute` with the spans of other instrumentors suppressed."""

    def suppressed(
        sql: object, params: object, many: bool, context: dict[str, Any]
    ) -> object:
        with suppress_instrumentation():
            return execute(sql, params, many, context)

    return suppressed


def _learn(cursor: object) -> int:
    found = type(cursor)
    if any(
        base.__module__.startswith("opentelemetry.instrumentation")
        for base in found.__mro__
    ):
        kind = _TRACED
    else:
        kind = _AROUND_ANOTHER if hasattr(cursor, "cursor") else _PLAIN
    if len(_kinds) >= _KINDS_LIMIT:
        _kinds.clear()
    _kinds[found] = kind
    return kind
