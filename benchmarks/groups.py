"""The groups of benchmarks, by the name that ``--only`` takes."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Final

from benchmarks.isolation import isolated

if TYPE_CHECKING:
    from benchmarks.measurement import Measurement
    from benchmarks.options import Options

GROUPS: Final = {
    "off": "benchmarks.micro.switched_off",
    "on_end": "benchmarks.micro.on_end",
    "cache": "benchmarks.micro.cache_calls",
    "truth": "benchmarks.micro.truth",
    "summary": "benchmarks.micro.summary",
    "http": "benchmarks.micro.over_http",
    "page": "benchmarks.micro.page",
    "trends": "benchmarks.micro.trends",
    "scrape": "benchmarks.micro.scrape",
    "leading": "benchmarks.micro.leading",
    "evaluation": "benchmarks.micro.evaluation",
    "intake": "benchmarks.micro.intake",
    "delay": "benchmarks.micro.delay",
    "store": "benchmarks.micro.store_size",
    "memory": "benchmarks.micro.memory",
    "overhead": "benchmarks.overhead.measure",
}


def measure(name: str, options: Options) -> list[Measurement]:
    """Measure the named group in a process of its own."""
    options.tell(f"== {name}")
    return isolated(_measure, GROUPS[name], options)


def _measure(module: str, options: Options) -> list[Measurement]:
    measured: list[Measurement] = importlib.import_module(module).measure(options)
    return measured
