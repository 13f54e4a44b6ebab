"""Run the rounds and turn their blocks into figures and the ratios that have budgets."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

from benchmarks.measurement import Measurement, Subject
from benchmarks.overhead import rounds
from benchmarks.overhead.plan import VARIANTS, VIEWS, named
from benchmarks.overhead.project import Project

if TYPE_CHECKING:
    from benchmarks.options import Options
    from benchmarks.overhead.rounds import Round

GROUP: Final = "added CPU per request"
DEADLINE_SECONDS: Final = 260.0  # for all rounds, whatever --rounds says
MICROSECONDS: Final = 1e6
MEBIBYTE: Final = 1 << 20

# ours, its counterpart, and the highest ratio allowed at 0, 1 and 10 queries per request.
BUDGETS: Final = (
    ("ours", "stock", (1.1, 0.95, 0.85)),
    ("ours-identified", "stock", (1.1, 0.95, 0.85)),
    ("ours-embedded", "stock-embedded", (1.1, 0.9, 0.65)),
    ("ours-asgi", "stock-asgi", (1.05, 1.05, 1.05)),
)


def measure(options: Options) -> list[Measurement]:
    """Measure every variant, interleaved, until the rounds or the time are used up."""
    project = Project(options.directory)
    project.create()
    done: list[Round] = []
    deadline = time.monotonic() + DEADLINE_SECONDS
    chance = random.Random(11)
    for number in range(options.rounds):
        if time.monotonic() > deadline:
            options.tell("out of time: fewer rounds than asked for")
            break
        options.tell(f"round {number + 1} of {options.rounds}")
        done.extend(_round(project, chance))
    faults = [fault for one in done for fault in one.faults]
    for fault in faults:
        options.tell(f"not counted: {fault}")
    return [*_ratios(done), *_added(done), *_memory(done)]


def _round(project: Project, chance: random.Random) -> Iterator[Round]:
    for interface in ("wsgi", "asgi"):
        variants = [one for one in VARIANTS if one.interface == interface]
        chance.shuffle(variants)
        yield rounds.run(variants, project)


def _ratios(done: Sequence[Round]) -> Iterator[Measurement]:
    for ours, theirs, limits in BUDGETS:
        for view, limit in zip(VIEWS, limits, strict=True):
            subject = Subject(
                GROUP, f"{named(ours).title}, {view.path} / stock", "ratio", limit
            )
            yield subject.ratio_of(
                _values(done, ours, view.path), _values(done, theirs, view.path)
            )


def _added(done: Sequence[Round]) -> Iterator[Measurement]:
    for variant in VARIANTS:
        for view in VIEWS:
            subject = Subject(GROUP, f"{variant.title}, {view.path}", "µs")
            yield subject.median_of(_values(done, variant.name, view.path))


def _memory(done: Sequence[Round]) -> Iterator[Measurement]:
    for variant in VARIANTS:
        sizes = [
            process.rss_bytes / MEBIBYTE
            for one in done
            for process in one.processes
            if process.variant == variant.name
        ]
        subject = Subject(GROUP, f"{variant.title}, memory when warm", "MiB")
        yield subject.median_of(sizes)


def _values(done: Sequence[Round], variant: str, path: str) -> list[float]:
    return [
        block.added * MICROSECONDS
        for one in done
        for block in one.blocks
        if block.variant == variant and block.path == path
    ]
