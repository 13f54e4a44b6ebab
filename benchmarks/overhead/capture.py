"""Did a variant really capture what it was charged for? A block that did not is not counted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from benchmarks.overhead.plan import BURSTS, VIEWS

if TYPE_CHECKING:
    from benchmarks.overhead.plan import Variant, View
    from benchmarks.overhead.processes import SinkProcess, WorkerProcess

CHECKED_REQUESTS = 20


def count_at_sink(variant: Variant, view: View, sink: SinkProcess) -> str | None:
    """Compare what a block of ``view`` made with what arrived; None when all of it did."""
    if not variant.exporting:
        return None
    requests = view.burst * BURSTS
    expected = {"requests": requests, "queries": requests * view.queries}
    return _discrepancy(variant, sink.take(variant), expected)


def count_in_process(worker: WorkerProcess) -> str | None:
    """Serve every view, untimed, and compare with what the variant itself counted."""
    before = worker.captured()
    if before is None:
        return None
    for view in VIEWS:
        worker.serve(view.path, CHECKED_REQUESTS)
    after = worker.captured() or {}
    counted = {name: after.get(name, 0) - before[name] for name in before}
    expected = {
        "requests": CHECKED_REQUESTS * len(VIEWS),
        "queries": CHECKED_REQUESTS * sum(view.queries for view in VIEWS),
    }
    return _discrepancy(worker.variant, counted, expected)


def _discrepancy(
    variant: Variant, captured: Mapping[str, int], expected: Mapping[str, int]
) -> str | None:
    differing = [
        f"{expected[name]} {name} served, {captured.get(name, 0)} captured"
        for name in expected
        if captured.get(name, 0) != expected[name]
    ]
    return f"{variant.name}: {', '.join(differing)}" if differing else None
