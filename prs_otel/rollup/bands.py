"""A sketch in wider bands, two an octave, for a map of how long requests took over time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from prs_otel.rollup import sketch

_BITS = sketch.SUB_BUCKET_BITS - 1


def banded(bins: Mapping[int, int]) -> dict[int, int]:
    """Return how many durations each band has."""
    bands: dict[int, int] = {}
    for index, count in bins.items():
        bands[index >> _BITS] = bands.get(index >> _BITS, 0) + count
    return bands


def span(many: Iterable[Mapping[int, int]]) -> range:
    """Return the bands from the lowest to the highest that any of these has."""
    found = {band for bands in many for band in bands}
    return range(min(found), max(found) + 1) if found else range(0)


def edges(bands: range) -> list[float]:
    """Return the bounds between bands in seconds, one more than there are bands."""
    if not bands:
        return []
    return [
        sketch.bounds_of(band << _BITS)[0] / 1e9
        for band in range(bands.start, bands.stop + 1)
    ]
