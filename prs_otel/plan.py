"""What the background work is told of the settings, in the units it works in."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Plan:
    """State intervals and retention in seconds; `directory` is on the disk to watch."""

    flush_interval: float
    system_metrics_interval: float
    retention_seconds: float
    series_limit: int
    quota_bytes: int
    directory: str
    settling_seconds: float = 2.0
    """How long a process that has answered nothing may still be about to fork."""
