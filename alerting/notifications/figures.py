"""Values as people read them: ratios as percent, durations with their unit."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

__all__ = ["clock", "figure", "lasting"]

_SHARES: Final = ("_rate", ".utilization", "_utilization")
# Their values have no unit, whatever the metric is measured in.
_COUNTS: Final = frozenset({"count", "absent"})
_KIBI: Final = 1024.0


def figure(value: float | None, metric: str, aggregation: str = "") -> str:
    """Return `value` in the unit of `metric` so aggregated; "no data" for None."""
    if value is None:
        return "no data"
    if aggregation in _COUNTS:
        return f"{value:,.6g}"
    if aggregation == "rate" or metric.endswith(".rate"):
        return f"{value:,.4g} /s"
    return _measured(value, metric)


def lasting(seconds: float) -> str:
    """Return a duration in its two largest units: "1 h 5 min"."""
    whole = max(0, round(seconds))
    days, rest = divmod(whole, 86_400)
    hours, rest = divmod(rest, 3_600)
    minutes, rest = divmod(rest, 60)
    parts = [(days, "d"), (hours, "h"), (minutes, "min"), (rest, "s")]
    first = next((at for at, (count, _) in enumerate(parts) if count), 3)
    chosen = [f"{n} {unit}" for n, unit in parts[first : first + 2] if n]
    return " ".join(chosen) or "0 s"


def clock(at: float) -> str:
    """Return a moment to the second, in UTC."""
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M:%S} UTC"


def _measured(value: float, metric: str) -> str:
    if metric.endswith(_SHARES):
        return f"{value * 100:.4g} %"
    if metric.endswith("duration"):
        return f"{value:.3g} s" if abs(value) >= 1 else f"{value * 1000:.3g} ms"
    if metric.endswith("memory.usage"):
        return _size(value)
    return f"{value:,.6g}"


def _size(value: float) -> str:
    for unit in ("B", "KiB", "MiB", "GiB"):
        if abs(value) < _KIBI:
            return f"{value:.4g} {unit}"
        value /= _KIBI
    return f"{value:.4g} TiB"
