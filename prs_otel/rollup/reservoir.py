"""Keep the slowest and the failed observations of the open delta, at nanoseconds for all others."""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from typing import TYPE_CHECKING

from prs_otel.rollup import series
from prs_otel.rollup.sample import KEPT, Code, Sample

if TYPE_CHECKING:
    from prs_otel.observation import Observation

_PATIENCE = 60.0
"""Seconds a slow query waits for its request to end and tell tenant and user."""

_NS = 1e9
_Entry = tuple[int, int, "Observation"]


class Reservoir:
    """Hold the slowest observations and the latest failures of each kind. Not thread-safe.

    ``floors`` are the nanoseconds that an observation of each sampled kind has to exceed: whoever
    has thousands to offer may leave out what is neither slower nor failed.
    """

    __slots__ = ("_heaps", "_offered", "floors")

    def __init__(self) -> None:
        self._offered = 0
        self.floors = dict.fromkeys(series.FAILURES, -1)
        self._heaps: dict[str, list[_Entry]] = {
            kind: [] for names in series.FAILURES.items() for kind in names
        }

    def offer(self, observation: Observation) -> None:
        """Keep the observation if it is among the slowest of its kind, or failed of late."""
        kind, duration = observation.kind, observation.duration
        floor = self.floors.get(kind)
        if floor is None:
            return
        if duration > floor:
            heap = self._heaps[kind]
            self._push(heap, duration, observation)
            if len(heap) == KEPT:
                self.floors[kind] = heap[0][0]
        if observation.is_error:
            self._push(self._heaps[series.FAILURES[kind]], observation.at, observation)

    @property
    def is_empty(self) -> bool:
        """Tell whether nothing is held."""
        return not any(self._heaps.values())

    def keep(self, observations: Iterable[Observation]) -> None:
        """Offer again what a sealed reservoir could not describe yet."""
        for observation in observations:
            self.offer(observation)

    def drawn(self, now: float) -> tuple[dict[str, list[Sample]], list[Observation]]:
        """Return the samples by kind, and the observations whose request is still under way.

        The latter are worth waiting for, up to a minute: only a finished request knows its tenant.
        """
        # Decided once for each: it may be a failure too, and its request ends at any moment.
        unfinished = {
            id(observation): observation
            for heap in self._heaps.values()
            for _, _, observation in heap
            if _is_unfinished(observation, now)
        }
        samples: dict[str, list[Sample]] = {}
        for kind, heap in self._heaps.items():
            for _, _, observation in heap:
                if id(observation) not in unfinished:
                    samples.setdefault(kind, []).append(described(observation, kind))
        return samples, list(unfinished.values())

    def _push(self, heap: list[_Entry], rank: int, observation: Observation) -> None:
        # The running number keeps the heap from comparing observations of equal rank.
        self._offered += 1
        entry = (rank, self._offered, observation)
        if len(heap) < KEPT:
            heapq.heappush(heap, entry)
        else:
            heapq.heappushpop(heap, entry)


def described(observation: Observation, kind: str) -> Sample:
    """Return the sample of ``kind`` that describes an observation."""
    request, code = observation.request, observation.code
    is_request = observation.kind == series.REQUEST
    is_query = observation.kind == series.QUERY
    is_traced = observation.trace_id != 0
    return Sample(
        kind=kind,
        duration=observation.duration / _NS,
        at=observation.at / _NS,
        trace_id=f"{observation.trace_id:032x}" if is_traced else "",
        span_id=f"{observation.span_id:016x}" if is_traced else "",
        endpoint=observation.labels[0]
        if is_request
        else (request.endpoint if request else None),
        task=request.task if request else None,
        method=request.method if request and request.task is None else "",
        status_code=request.status_code if request else 0,
        organization_id=request.organization_id if request else None,
        user_id=request.user_id if request else None,
        query_count=request.query_count if request and not is_query else 0,
        query_duration=request.query_time / _NS if request and not is_query else 0.0,
        fingerprint=observation.labels[1] if is_query else "",
        alias=observation.labels[0] if is_query else "",
        code=Code(*code) if code else None,
        is_error=observation.is_error,
    )


def _is_unfinished(observation: Observation, now: float) -> bool:
    request = observation.request
    return (
        request is not None
        and not request.is_finished
        and 0 <= now - observation.at / _NS < _PATIENCE
    )
