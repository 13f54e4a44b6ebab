"""What the background work is told of the settings, in the units it works in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self

if TYPE_CHECKING:
    from prs_otel.conf import MonitoringSettings

_SECONDS_AN_HOUR: Final = 3_600.0
_BYTES_A_MEGABYTE: Final = 1_000_000
_SHORTEST_LIFE: Final = 15.0


@dataclass(frozen=True, slots=True)
class Plan:
    """State intervals and retention in seconds; `directory` is on the disk to watch."""

    flush_interval: float
    system_metrics_interval: float
    retention_seconds: float
    series_limit: int
    quota_bytes: int
    directory: str
    tracks_system: bool = True
    tracks_cache: bool = True
    keeps_lifetime: bool = False
    """Whether what was counted since the store began is asked for."""
    settling_seconds: float = 2.0
    """How long a process that has answered nothing may still be about to fork."""

    @classmethod
    def of(cls, settings: MonitoringSettings, *, directory: str) -> Self:
        """Return what the settings say."""
        return cls(
            flush_interval=settings.flush_interval,
            system_metrics_interval=settings.system_metrics_interval,
            retention_seconds=settings.metrics_retention_hours * _SECONDS_AN_HOUR,
            series_limit=settings.series_limit,
            quota_bytes=settings.store_quota_mb * _BYTES_A_MEGABYTE,
            directory=directory,
            tracks_system=settings.track_system_metrics,
            tracks_cache=settings.track_cache,
            keeps_lifetime=settings.scrape_endpoint,
        )

    @property
    def beat_ttl(self) -> float:
        """Return how many seconds a process that says nothing counts as alive."""
        return max(_SHORTEST_LIFE, 3 * self.flush_interval)
