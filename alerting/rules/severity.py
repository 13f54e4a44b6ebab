"""How bad it is: the severities, in their order."""

from __future__ import annotations

from enum import StrEnum

__all__ = ["Severity"]


class Severity(StrEnum):
    """A severity; `rank` says which of two is the worse."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        """Return the place in the order, 0 for the mildest."""
        return _ORDER.index(self)


_ORDER = tuple(Severity)
