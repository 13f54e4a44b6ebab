"""One thing that was looked at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Level = Literal["ok", "warning", "critical"]


@dataclass(frozen=True, slots=True)
class Finding:
    """Say what is so, how bad that is, and what to do; where all is well, nothing."""

    topic: str
    level: Level
    message: str
    remedy: str = ""
