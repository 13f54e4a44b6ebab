"""Which part of a table is asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

RowT = TypeVar("RowT")


@dataclass(frozen=True, slots=True)
class Page:
    """Ask for `limit` rows of the last `seconds`, from `offset` on.

    `endpoint` and `fingerprint` narrow it down to what belongs to these.
    """

    seconds: float
    limit: int = 100
    offset: int = 0
    endpoint: str | None = None
    fingerprint: str | None = None

    def of(self, rows: Sequence[RowT]) -> Sequence[RowT]:
        """Return the rows that are on this page."""
        return rows[self.offset : self.offset + self.limit]
