"""The six rules every project has, with the thresholds of its settings.

- Processor and memory count as their average over two minutes, above the threshold for
  half a minute: one busy reading tells nobody.
- The two rates look at the last five minutes and need 20 requests or queries there,
  so that one bad request of three is no alert.
- Disk space and connections do not come and go by themselves: they fire at once.

The windows grow with the interval of the system metrics, so that there are always at
least two readings in them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from alerting.rules.rule import Rule

__all__ = ["DEFAULT_THRESHOLDS", "built_in_rules"]

# In the units of the settings: percent, a count of connections, seconds.
DEFAULT_THRESHOLDS: Final[Mapping[str, float]] = {
    "cpu_warning": 80,
    "cpu_critical": 90,
    "memory_warning": 80,
    "memory_critical": 90,
    "disk_warning": 90,
    "disk_critical": 95,
    "slow_query_rate_warning": 15,
    "slow_query_rate_critical": 30,
    "api_error_rate_warning": 10,
    "api_error_rate_critical": 20,
    "database_connections_critical": 50,
    "system_metrics_interval": 15,
}
_READINGS: Final = 2
_SAMPLE: Final = {"window": "5m", "min_count": 20}
_STEADY: Final = {"window": "2m", "for": "30s"}
_GAUGE: Final = {"window": "2m"}

# Name, metric, the settings' name for it, how to look at it, what it means.
_RULES: Final[tuple[tuple[str, str, str, Mapping[str, Any], str], ...]] = (
    (
        "high_cpu_usage",
        "system.cpu.utilization",
        "cpu",
        _STEADY,
        "The processors of this host are busy",
    ),
    (
        "high_memory_usage",
        "system.memory.utilization",
        "memory",
        _STEADY,
        "The memory of this host is nearly used up",
    ),
    (
        "low_disk_space",
        "system.filesystem.utilization",
        "disk",
        _GAUGE,
        "The file system of this project is nearly full",
    ),
    (
        "high_slow_query_rate",
        "db.client.operation.slow_rate",
        "slow_query_rate",
        _SAMPLE,
        "Too many database queries are slow",
    ),
    (
        "high_api_error_rate",
        "http.server.request.error_rate",
        "api_error_rate",
        _SAMPLE,
        "Too many requests fail",
    ),
    (
        "database_connection_issues",
        "db.client.connection.count",
        "database_connections",
        {"window": "2m", "aggregation": "max"},
        "Too many database connections are open",
    ),
)


def built_in_rules(thresholds: Mapping[str, float]) -> tuple[Rule, ...]:
    """Return the built-in rules; a threshold that is not given has its default."""
    known = {**DEFAULT_THRESHOLDS, **thresholds}
    shortest = _READINGS * known["system_metrics_interval"]
    return tuple(
        Rule.load(
            {
                "name": name,
                "metric": metric,
                "threshold": _ladder(setting, known),
                "annotations": {"summary": summary},
                **look,
                **_wider(look, shortest),
            }
        )
        for name, metric, setting, look, summary in _RULES
    )


def _ladder(setting: str, thresholds: Mapping[str, float]) -> dict[str, float]:
    # Percent in the settings, a ratio in the metric; connections are counted.
    scale = 1 if setting == "database_connections" else 100
    return {
        severity: thresholds[f"{setting}_{severity}"] / scale
        for severity in ("warning", "critical")
        if f"{setting}_{severity}" in thresholds
    }


def _wider(look: Mapping[str, Any], shortest: float) -> dict[str, float]:
    is_wide_enough = look is _SAMPLE or shortest <= 120
    return {} if is_wide_enough else {"window": shortest}
