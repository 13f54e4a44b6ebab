"""What each endpoint was asked over time, small enough to draw beside its name."""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from prs_otel.rollup import salvage, series
from prs_otel.rollup.trends import covered_seconds, starts_of

if TYPE_CHECKING:
    from prs_otel.rollup.series import Labels
    from prs_otel.rollup.trends import Stretch
    from prs_otel.store.base import Reader, Row

_NS: Final = 1e9
_NAMES_SHARED: Final = 4_096


@dataclass(frozen=True, slots=True)
class Columns:
    """Hold what a bucket says of each endpoint: requests, failures, and nanoseconds they took."""

    names: Sequence[Labels]
    counts: array[int]
    errors: array[int]
    totals: array[int]


@dataclass(frozen=True, slots=True)
class _Endpoints:
    """Want of a bucket what it says of each endpoint."""

    def read(self, reader: Reader, ids: Sequence[int]) -> Mapping[int, bytes]:
        return reader.read("cells", ids)

    def digest(self, stored: bytes) -> Columns:
        packed = salvage.cells(stored)
        names = () if packed is None else packed.names
        chosen = [
            number for number, (kind, _) in enumerate(names) if kind == series.REQUEST
        ]

        def column(name: str) -> array[int]:
            figures = packed.figures[name] if packed else ()
            return array("q", [figures[number] for number in chosen])

        return Columns(
            names=[_shared(names[number][1]) for number in chosen],
            counts=column("count"),
            errors=column("errors"),
            totals=column("total"),
        )


ENDPOINTS: Final = _Endpoints()


@dataclass(slots=True)
class Line:
    """Hold one endpoint's requests, failures and seconds they took, by the number of the point."""

    counts: list[int]
    errors: list[int]
    totals: list[float]

    @classmethod
    def flat(cls, length: int) -> Line:
        """Return the line of an endpoint that nobody has asked anything."""
        return cls([0] * length, [0] * length, [0.0] * length)


@dataclass(frozen=True, slots=True)
class Lines:
    """Hold the line of each endpoint and method; ``covered`` are the seconds known of each point."""

    stretch: Stretch
    step: int
    starts: Sequence[float]
    covered: Sequence[float]
    by_endpoint: Mapping[Labels, Line]


def lines(
    buckets: Sequence[tuple[Row, Columns]], stretch: Stretch, *, step: int
) -> Lines:
    """Return the lines of ``stretch``; a bucket counts in the point its middle falls in."""
    starts = starts_of(stretch, step=step)
    found: dict[Labels, Line] = {}
    for row, columns in buckets:
        point = int((row.start + row.end) / 2 // step - starts[0] // step)
        # The window may end within the second that begins a point.
        point = min(point, len(starts) - 1)
        rows = zip(
            columns.names, columns.counts, columns.errors, columns.totals, strict=True
        )
        for labels, count, errors, total in rows:
            line = found.get(labels) or found.setdefault(labels, Line.flat(len(starts)))
            line.counts[point] += count
            line.errors[point] += errors
            line.totals[point] += total / _NS
    covered = covered_seconds((row for row, _ in buckets), stretch, step=step)
    return Lines(stretch, step, starts, [covered[start] for start in starts], found)


@lru_cache(maxsize=_NAMES_SHARED)
def _shared(labels: Labels) -> Labels:
    """Return the same tuple for the same labels, which every bucket repeats."""
    return labels
