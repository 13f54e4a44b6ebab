"""OpenTelemetry's names as Prometheus has them, after its translation with suffixes.

The rules are those of Prometheus's OTLP receiver by default, and of the collector's exporters:
https://opentelemetry.io/docs/specs/otel/compatibility/prometheus_and_openmetrics/
"""

from __future__ import annotations

import re
from typing import Final

_UNITS: Final = {
    "s": "seconds",
    "ms": "milliseconds",
    "us": "microseconds",
    "ns": "nanoseconds",
    "min": "minutes",
    "h": "hours",
    "d": "days",
    "By": "bytes",
    "KiBy": "kibibytes",
    "MiBy": "mebibytes",
    "GiBy": "gibibytes",
    "kBy": "kilobytes",
    "MBy": "megabytes",
    "GBy": "gigabytes",
    "%": "percent",
    "Cel": "celsius",
    "Hz": "hertz",
    "V": "volts",
    "A": "amperes",
    "J": "joules",
    "W": "watts",
    "m": "meters",
    "g": "grams",
    "1": "",
}
_NO_WORD: Final = re.compile(r"[^A-Za-z0-9:]+")


def metric_name(name: str, *, unit: str, kind: str) -> str:
    """Return the name of a metric; ``kind`` is ``counter``, ``gauge`` or ``histogram``.

    A histogram's series have ``_bucket``, ``_count`` and ``_sum`` after it.
    """
    words = [word for word in _NO_WORD.split(name) if word]
    unit_word = _unit(unit)
    if unit_word and unit_word not in words:
        words.append(unit_word)
    if kind == "counter":
        words = [*(word for word in words if word != "total"), "total"]
    if kind == "gauge" and unit == "1":
        words = [*(word for word in words if word != "ratio"), "ratio"]
    joined = "_".join(words)
    return f"_{joined}" if joined[:1].isdigit() else joined


def label_name(name: str) -> str:
    """Return the name of a label."""
    joined = re.sub(r"[^A-Za-z0-9_]", "_", name)
    return f"key_{joined}" if joined[:1].isdigit() else joined


def quoted(value: str) -> str:
    """Return a label's value as PromQL takes it."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def _unit(unit: str) -> str:
    if "{" in unit:  # an annotation, which is no unit
        return ""
    return _UNITS.get(unit, "_".join(word for word in _NO_WORD.split(unit) if word))
