"""Count many durations at once in a histogram, for which the SDK has no call.

`Histogram.record` takes 5 µs of CPU a measurement, most of it to find out what it counts in; for
what a worker has sealed that is known for many measurements together. Where the SDK counts is
no public matter, so whoever finds it otherwise than expected records one by one.
"""

# ruff: noqa: SLF001 - there is no public way
from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from opentelemetry.metrics import Histogram

    from prs_otel.derived.durations import Duration

Counting: TypeAlias = Sequence[Any]
"""What counts one label set of a histogram: an aggregation for each reader and view."""

try:
    from opentelemetry.sdk.metrics._internal.aggregation import (
        _ExplicitBucketHistogramAggregation as _Buckets,
    )
except ImportError:  # pragma: no cover - no such release is known
    _Buckets = None  # type: ignore[assignment,misc]

_NEEDED = ("_attributes", "_boundaries", "_lock", "_max", "_min", "_sum", "_value")


def counting(
    provider: object, histogram: Histogram, attributes: Mapping[str, str]
) -> Counting | None:
    """Return what counts `attributes`, of which one has just been recorded for the first time.

    None where that cannot be told.
    """
    try:
        found = list(_newest(provider, histogram))
    except (AttributeError, LookupError, TypeError):
        return None
    are_known = all(_is_known(each, attributes) for each in found)
    return found if found and are_known else None


def add(into: Counting, durations: Sequence[Duration]) -> None:
    """Count durations, each as often as it was, as if they had been recorded one by one."""
    if not durations:
        return
    lowest = min(each.seconds for each in durations)
    highest = max(each.seconds for each in durations)
    total = sum(each.seconds * each.times for each in durations)
    for buckets in into:
        bounds = buckets._boundaries
        with buckets._lock:
            counts = buckets._value
            if counts is None:
                counts = buckets._value = [0] * (len(bounds) + 1)
            for each in durations:
                counts[bisect_left(bounds, each.seconds)] += each.times
            buckets._sum += total
            buckets._min = min(buckets._min, lowest)
            buckets._max = max(buckets._max, highest)


def _newest(provider: Any, histogram: Histogram) -> Iterator[Any]:  # noqa: ANN401 - private
    for storage in provider._measurement_consumer._reader_storages.values():
        for match in storage._get_or_init_view_instrument_match(histogram):
            yield next(reversed(match._attributes_aggregation.values()), None)


def _is_known(aggregation: object, attributes: Mapping[str, str]) -> bool:
    return (
        _Buckets is not None
        and type(aggregation) is _Buckets
        and all(hasattr(aggregation, name) for name in _NEEDED)
        and aggregation._attributes == attributes
    )
