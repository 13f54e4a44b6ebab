"""Durations as people write them: "20s", "5m", "1h30m", "7d", or a number of seconds."""

from __future__ import annotations

import math
import re
from typing import Final

__all__ = ["LONGEST", "format_duration", "parse_duration"]

UNITS: Final = {"w": 604_800, "d": 86_400, "h": 3_600, "m": 60, "s": 1, "ms": 0.001}
PART: Final = re.compile(r"(\d+(?:\.\d+)?)(ms|w|d|h|m|s)")
LONGEST: Final = 8760 * 3600.0
"""A year: the longest retention there is, and a moment after which is always a date."""
WHOLE: Final = re.compile(rf"(?:{PART.pattern})+")


def parse_duration(value: object) -> float:
    """Return the seconds that `value` stands for, to the millisecond.

    Raise `ValueError` for what is no duration: a negative or infinite number, a unit
    that does not exist, a text without unit; and for more than a year.
    """
    if isinstance(value, str):
        if WHOLE.fullmatch(value) is None:
            raise ValueError(_complaint(value))
        seconds = sum(float(n) * UNITS[unit] for n, unit in PART.findall(value))
    elif isinstance(value, int | float) and not isinstance(value, bool):
        seconds = _as_float(value)
    else:
        raise ValueError(_complaint(value))  # noqa: TRY004 - pydantic wants ValueError
    if not math.isfinite(seconds) or seconds < 0:
        raise ValueError(_complaint(value))
    if seconds > LONGEST:
        message = (
            f"{value!r} is longer than a year; write at most {LONGEST:.0f} seconds"
        )
        raise ValueError(message)
    return round(seconds, 3)


def format_duration(seconds: float) -> str:
    """Return `seconds` to the millisecond: 90 is "1m30s", 0.25 is "250ms"."""
    milliseconds = round(seconds * 1000)
    parts = []
    for unit, length in UNITS.items():
        count, milliseconds = divmod(milliseconds, round(length * 1000))
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts) or "0s"


def _as_float(value: float) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf


def _complaint(value: object) -> str:
    return (
        f'{value!r} is no duration; write "20s", "5m", "1h30m" or a number of seconds'
    )
