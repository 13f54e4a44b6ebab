"""Made-up traffic: Zipf-distributed series with log-normal durations, as cells and samples."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from statistics import NormalDist
from typing import TYPE_CHECKING, Final

from prs_otel.rollup import series, sketch
from prs_otel.rollup.cell import Cell
from prs_otel.rollup.cells import Cells
from prs_otel.rollup.sample import KEPT, Code, Sample

if TYPE_CHECKING:
    from prs_otel.rollup.series import Labels

SPREAD: Final = 0.6  # of the logarithm of a duration
ZIPF: Final = 1.1
SHARE_OF_REQUESTS: Final = 0.4
MEDIANS: Final = (2e6, 20e6, 60e6, 200e6)  # nanoseconds


@dataclass(frozen=True, slots=True)
class Series:
    """One endpoint or fingerprint, its share of the traffic and its median in nanoseconds."""

    kind: str
    labels: Labels
    share: float
    median: float


def mix(count: int) -> list[Series]:
    """Return ``count`` series: 40 % endpoints, the rest fingerprints."""
    requests = int(count * SHARE_OF_REQUESTS)
    named = [
        *(
            (series.REQUEST, (f"/api/section-{n}/<int:pk>/", "GET"))
            for n in range(requests)
        ),
        *((series.QUERY, ("default", f"{n:016x}")) for n in range(count - requests)),
    ]
    random.Random(3).shuffle(named)
    weights = [1 / (rank + 1) ** ZIPF for rank in range(count)]
    whole = sum(weights)
    return [
        Series(kind, labels, weight / whole, MEDIANS[rank % len(MEDIANS)])
        for rank, ((kind, labels), weight) in enumerate(
            zip(named, weights, strict=True)
        )
    ]


def cells(of: list[Series], *, observations: float, chance: random.Random) -> Cells:
    """Return what so many observations over these series leave in one bucket."""
    made = Cells(len(of))
    for each in of:
        cell = _cell(each.median, each.share * observations, chance)
        if cell.count:
            made.by_kind.setdefault(each.kind, {})[each.labels] = cell
    return made


def samples(
    of: list[Series], *, at: float, chance: random.Random
) -> dict[str, list[Sample]]:
    """Return a full set of the slowest requests and queries of one bucket."""
    return {
        kind: [
            _sample(
                chance.choice([each for each in of if each.kind == kind]), at, chance
            )
            for _ in range(KEPT)
        ]
        for kind in (series.REQUEST, series.QUERY)
    }


def _cell(median: float, expected: float, chance: random.Random) -> Cell:
    cell = Cell()
    for index, middle, share in _bins(median):
        mean = expected * share
        count = int(chance.gauss(mean, mean**0.5) + chance.random())
        if count > 0:
            cell.bins[index] = count
            cell.count += count
            cell.total += count * middle
            cell.maximum = middle
    cell.errors = cell.count // 100
    cell.slow = cell.count // 50
    return cell


@lru_cache
def _bins(median: float) -> tuple[tuple[int, int, float], ...]:
    """Return index, middle and probability of each bin within four deviations."""
    return tuple(_probable_bins(median))


def _probable_bins(median: float) -> Iterator[tuple[int, int, float]]:
    normal = NormalDist(math.log(median), SPREAD)
    first = sketch.index_of(int(math.exp(normal.mean - 4 * SPREAD)))
    last = sketch.index_of(int(math.exp(normal.mean + 4 * SPREAD)))
    for index in range(first, last + 1):
        low, high = sketch.bounds_of(index)
        share = normal.cdf(math.log(high)) - normal.cdf(math.log(low))
        yield index, (low + high) // 2, share


def _sample(of: Series, at: float, chance: random.Random) -> Sample:
    is_request = of.kind == series.REQUEST
    return Sample(
        kind=of.kind,
        duration=of.median / 1e9 * chance.uniform(5, 12),
        at=at,
        trace_id=f"{chance.getrandbits(128):032x}",
        span_id=f"{chance.getrandbits(64):016x}",
        endpoint=of.labels[0] if is_request else "/api/section-1/<int:pk>/",
        task=None,
        method="GET",
        status_code=200,
        organization_id=str(chance.randrange(200)),
        user_id=None,
        query_count=chance.randrange(12) if is_request else 0,
        query_duration=chance.random() if is_request else 0.0,
        fingerprint="" if is_request else of.labels[1],
        alias="" if is_request else of.labels[0],
        code=None
        if is_request
        else Code("sections/views.py", chance.randrange(400), "index"),
        is_error=False,
    )
