"""What a run was asked to do."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Options:
    """How many rounds, and a directory of the run's own that is removed afterwards."""

    rounds: int
    directory: Path

    def tell(self, news: str) -> None:
        """Say on standard error how far the run has come."""
        print(news, file=sys.stderr, flush=True)
