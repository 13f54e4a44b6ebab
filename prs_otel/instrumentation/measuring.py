"""Say of the code that is running whether its queries are measured, ignored or refused."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

MEASURED: Final = 0
UNMEASURED: Final = 1
REFUSED: Final = 2

mode: ContextVar[int] = ContextVar("prs_otel_query_mode", default=MEASURED)


class QueryRefusedError(RuntimeError):
    """Code that must not query the database tried to."""


@contextmanager
def unmeasured() -> Iterator[None]:
    """Leave the queries of the block out of every figure: they are our own."""
    token = mode.set(UNMEASURED)
    try:
        yield
    finally:
        mode.reset(token)
