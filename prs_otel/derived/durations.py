"""The durations of a delta, one by one, as a histogram takes them. Pure."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

from prs_otel.derived.cumulative import projected
from prs_otel.rollup import series, sketch

if TYPE_CHECKING:
    from prs_otel.derived.catalog import Timed
    from prs_otel.rollup.delta import Delta
    from prs_otel.rollup.sample import Sample
    from prs_otel.rollup.series import Labels

_NS: Final = 1e9


class Duration(NamedTuple):
    """State how often something took ``seconds``; of a sampled one, in which trace."""

    labels: Labels
    seconds: float
    times: int
    trace_id: str = ""
    span_id: str = ""


def durations(delta: Delta, timed: Timed) -> Iterator[Duration]:
    """Yield the durations of each series; their number and their sum are exact.

    Those that were kept as samples are themselves. The others are the middle of their bin of the
    sketch, which is within 1.6 %, moved by what their sum is off.
    """
    sampled = _by_labels(delta.samples.get(timed.kind, ()))
    for labels, cell in delta.cells.by_kind.get(timed.kind, {}).items():
        chosen = projected(labels, timed.kind, timed.labels)
        bins, total = dict(cell.bins), float(cell.total)
        for sample in sampled.get(labels, ()):
            index = sketch.index_of(round(sample.duration * _NS))
            if bins.get(index):
                bins[index] -= 1
                total -= sample.duration * _NS
                yield Duration(
                    chosen, sample.duration, 1, sample.trace_id, sample.span_id
                )
        yield from _rest(chosen, bins, total)


def told_apart(
    found: Sequence[Duration], bounds: Sequence[float]
) -> tuple[list[Duration], list[Duration]]:
    """Return those whose traces a histogram can name, one in each bucket, and the rest.

    The slowest in a bucket is named.
    """
    named: dict[int, int] = {}
    for at, each in enumerate(found):
        if each.trace_id:
            bucket = bisect_left(bounds, each.seconds)
            before = named.get(bucket)
            if before is None or found[before].seconds < each.seconds:
                named[bucket] = at
    chosen = set(named.values())
    rest = [each for at, each in enumerate(found) if at not in chosen]
    return [found[at] for at in named.values()], rest


def _rest(labels: Labels, bins: Mapping[int, int], total: float) -> Iterator[Duration]:
    middles = {index: sum(sketch.bounds_of(index)) / 2 for index in bins}
    about = sum(middles[index] * count for index, count in bins.items())
    correction = total / about if about > 0 and total > 0 else 1.0
    for index, count in bins.items():
        if count:
            yield Duration(labels, middles[index] * correction / _NS, count)


def _by_labels(samples: Sequence[Sample]) -> Mapping[Labels, list[Sample]]:
    found: dict[Labels, list[Sample]] = {}
    for sample in samples:
        found.setdefault(_labels(sample), []).append(sample)
    return found


def _labels(sample: Sample) -> Labels:
    # A task's sample does not say of which kind it was, so it is like any other of its series.
    if sample.kind == series.QUERY:
        return sample.alias, sample.fingerprint
    return sample.endpoint or series.UNRESOLVED, sample.method
