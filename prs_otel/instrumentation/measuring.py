"""Say of the code that is running how its queries are taken: as usual, expected or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

MEASURED: Final = 0
UNMEASURED: Final = 1
REFUSED: Final = 2
EXPECTED: Final = 3
"""Measured, and no N+1 however often they are repeated."""

mode: ContextVar[int] = ContextVar("prs_otel_query_mode", default=MEASURED)


class QueryRefusedError(RuntimeError):
    """Code that must not query the database tried to."""


class Block:
    """A function whose work counts as one query, unless queries are measured within it."""

    __slots__ = ("has_queries", "is_finished")

    def __init__(self) -> None:
        self.has_queries = False
        self.is_finished = False


current_block: ContextVar[Block | None] = ContextVar("prs_otel_block", default=None)


@contextmanager
def unmeasured() -> Iterator[None]:
    """Leave the queries of the block out of every figure: they are our own."""
    token = mode.set(UNMEASURED)
    try:
        yield
    finally:
        mode.reset(token)
