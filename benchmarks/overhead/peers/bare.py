"""Django alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from benchmarks.overhead.peers import Captured, Surroundings
    from benchmarks.overhead.plan import Variant


class Bare:
    """Nothing installed, nothing captured."""

    def environment(self, _around: Surroundings) -> dict[str, str]:
        """Change nothing."""
        return {}

    def install(self) -> None:
        """Install nothing."""

    def flush(self) -> None:
        """Have nothing queued."""

    def captured(self) -> Captured | None:
        """Claim nothing."""
        return None


def peer(_variant: Variant) -> Bare:
    """Return the peer of bare Django."""
    return Bare()
