"""Leadership over one store, and that of nobody."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


class Lease(Protocol):
    """Leadership, as `prs_otel` grants it."""

    @property
    def holder(self) -> str:
        """Who leads."""
        ...

    @property
    def host(self) -> str:
        """On which host."""
        ...

    @property
    def pid(self) -> int:
        """In which process."""
        ...

    @property
    def epoch(self) -> int:
        """For the how-manieth time leadership was taken."""
        ...


@dataclass(frozen=True, slots=True)
class Nobody:
    """The lease of who does not lead."""

    holder: str = ""
    host: str = ""
    pid: int = 0
    epoch: int = 0
