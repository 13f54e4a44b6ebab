"""How each variant is switched on, flushed, and asked what it captured.

A peer's module is imported in the worker process only, before Django is set up.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, cast

if TYPE_CHECKING:
    from collections.abc import Mapping

    from benchmarks.overhead.plan import Variant


@dataclass(frozen=True, slots=True)
class Captured:
    """How many requests and queries a variant says it has seen since it started."""

    requests: int
    queries: int


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Where a worker finds the sink ("" when it exports nothing) and may keep files."""

    sink: str
    directory: str


class Peer(Protocol):
    """One instrumentation package under measurement."""

    def environment(self, around: Surroundings) -> Mapping[str, str]:
        """Name the environment variables that have to be set before Django is."""

    def install(self) -> None:
        """Instrument the process; the settings are named, Django is not set up yet."""

    def flush(self) -> None:
        """Send or store whatever is queued; its CPU is charged to the requests."""

    def captured(self) -> Captured | None:
        """Count what was seen in this process; None when only the sink can tell."""


def load(variant: Variant) -> Peer:
    """Import the peer of ``variant``; raises ImportError when it is not installed."""
    module = importlib.import_module(f"{__name__}.{variant.peer}")
    return cast("Peer", module.peer(variant))
