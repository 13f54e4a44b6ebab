"""Interleaved rounds: every variant's bursts stand between bursts of bare Django."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmarks.overhead.capture import count_at_sink, count_in_process
from benchmarks.overhead.plan import BURSTS, VIEWS, bare
from benchmarks.overhead.processes import SinkProcess, WorkerProcess

if TYPE_CHECKING:
    from benchmarks.overhead.plan import Variant, View
    from benchmarks.overhead.project import Project


@dataclass(frozen=True, slots=True)
class BlockFigures:
    """CPU seconds per request of one view above bare Django's, served in the same seconds."""

    variant: str
    path: str
    bare: float
    added: float


@dataclass(frozen=True, slots=True)
class ProcessFigures:
    """What one worker process cost before its first measured request."""

    variant: str
    rss_bytes: int


@dataclass(frozen=True, slots=True)
class Round:
    """What one round found; ``faults`` names each block that captured too little."""

    blocks: tuple[BlockFigures, ...]
    processes: tuple[ProcessFigures, ...]
    faults: tuple[str, ...]


def run(variants: Sequence[Variant], project: Project) -> Round:
    """Run one round of variants of one interface, in fresh processes, in that order."""
    with ExitStack() as stack:
        sink = stack.enter_context(SinkProcess())
        base, *workers = [
            stack.enter_context(_started(variant, project, sink))
            for variant in (bare(variants[0].interface), *variants)
        ]
        found = [
            one for view in VIEWS for one in _interleaved(view, base, workers, sink)
        ]
        uncounted = [count_in_process(worker) for worker in workers]
        return Round(
            blocks=tuple(one for one in found if isinstance(one, BlockFigures)),
            processes=tuple(
                ProcessFigures(one.variant.name, one.ready.rss_bytes)
                for one in (base, *workers)
            ),
            faults=tuple(one for one in (*found, *uncounted) if isinstance(one, str)),
        )


def _started(variant: Variant, project: Project, sink: SinkProcess) -> WorkerProcess:
    environment = project.environment(variant, sink.url_of(variant))
    return WorkerProcess(variant, environment, project.log)


def _interleaved(
    view: View, base: WorkerProcess, workers: Sequence[WorkerProcess], sink: SinkProcess
) -> list[BlockFigures | str]:
    """Serve ``view`` by everyone, a burst at a time; a block with a fault is a string."""
    for worker in (base, *workers):
        sink.take(worker.variant)
        worker.begin()
    neighbours: dict[str, list[float]] = {one.variant.name: [] for one in workers}
    before = base.serve(view.path, view.burst)
    for _ in range(BURSTS):
        for worker in workers:
            worker.serve(view.path, view.burst)
            after = base.serve(view.path, view.burst)
            neighbours[worker.variant.name].append((before + after) / 2)
            before = after
    return [
        _figures(worker, view, sum(neighbours[worker.variant.name]), sink)
        for worker in workers
    ]


def _figures(
    worker: WorkerProcess, view: View, bare_seconds: float, sink: SinkProcess
) -> BlockFigures | str:
    # Everything since `begin`: what its threads did between the bursts, and the flush.
    total = worker.end()
    fault = count_at_sink(worker.variant, view, sink)
    if fault is not None:
        return fault
    requests = view.burst * BURSTS
    return BlockFigures(
        variant=worker.variant.name,
        path=view.path,
        bare=bare_seconds / requests,
        added=(total - bare_seconds) / requests,
    )
