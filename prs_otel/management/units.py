"""Numbers as people read them in a terminal."""

from __future__ import annotations

from typing import Final

UNKNOWN: Final = "-"

_MINUTE: Final = 60.0
_HOUR: Final = 3600.0
_DAY: Final = 86_400.0


def duration(seconds: float | None) -> str:
    """Return how long something takes: `340 µs`, `12.3 ms`, `1.23 s`, `2.5 min`."""
    if seconds is None:
        return UNKNOWN
    if seconds >= _MINUTE:
        return age(seconds)
    if seconds >= 1:
        return f"{seconds:.2f} s"
    if seconds >= 0.001:
        return f"{seconds * 1e3:.1f} ms"
    return f"{seconds * 1e6:.0f} µs"


def age(seconds: float) -> str:
    """Return how long ago something was, in its largest unit: `4 s`, `2.5 min`, `3.0 h`."""
    for unit, name in ((_DAY, "d"), (_HOUR, "h"), (_MINUTE, "min")):
        if seconds >= unit:
            return f"{seconds / unit:.1f} {name}"
    return f"{max(0.0, seconds):.0f} s"


def percent(ratio: float | None) -> str:
    """Return a ratio 0..1 as a percentage."""
    return UNKNOWN if ratio is None else f"{ratio * 100:.1f} %"


def count(number: int | None) -> str:
    """Return a whole number with its thousands apart."""
    return UNKNOWN if number is None else f"{number:,}"


def size(size_bytes: float | None) -> str:
    """Return a number of bytes in the largest fitting unit (powers of 1000)."""
    if size_bytes is None:
        return UNKNOWN
    for unit, name in ((1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if size_bytes >= unit:
            return f"{size_bytes / unit:.1f} {name}"
    return f"{size_bytes:.0f} B"
