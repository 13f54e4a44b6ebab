"""The slowest observations and the latest failures, kept whole as evidence.

They say what a figure cannot: which trace, which line of code, which tenant.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from prs_otel.rollup import series

KEPT = 100
"""How many samples of a kind a bucket keeps."""

_LATEST_FIRST = frozenset(series.FAILURES.values())


class Code(NamedTuple):
    """A place in the project's own code; ``file`` is relative to the project directory."""

    file: str
    line: int
    function: str


@dataclass(frozen=True, slots=True)
class Sample:
    """Describe one request, query or task.

    ``kind`` is the one of the observation, or its name in :data:`series.FAILURES`.
    ``duration`` and
    ``query_duration`` are seconds, ``at`` is the end in epoch seconds. ``task`` is the task itself,
    or the one that ran the query. ``trace_id`` is empty where nobody has the trace.
    """

    kind: str
    duration: float
    at: float
    trace_id: str
    span_id: str
    endpoint: str | None
    task: str | None
    method: str
    status_code: int
    organization_id: str | None
    user_id: str | None
    query_count: int
    query_duration: float
    fingerprint: str
    alias: str
    code: Code | None
    is_error: bool


def rank(sample: Sample) -> float:
    """Return by what a sample is kept: failures the later the better, others the slower."""
    return sample.at if sample.kind in _LATEST_FIRST else sample.duration


def best(samples: Iterable[Sample], limit: int = KEPT) -> list[Sample]:
    """Return the ``limit`` samples of highest rank, highest first."""
    return heapq.nlargest(limit, samples, key=rank)


def by_kind(samples: Iterable[Sample]) -> dict[str, list[Sample]]:
    """Return the samples sorted into their kinds."""
    of_kind: dict[str, list[Sample]] = {}
    for sample in samples:
        of_kind.setdefault(sample.kind, []).append(sample)
    return of_kind


def ranks(samples: Mapping[str, Sequence[Sample]]) -> dict[str, int]:
    """Return the highest rank of each kind in nanoseconds, by which readers skip buckets."""
    return {
        kind: int(max(map(rank, of_kind)) * 1e9)
        for kind, of_kind in samples.items()
        if of_kind
    }
