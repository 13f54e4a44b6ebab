"""Which trace stands for a bucket: that of the slowest in it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, TypeAlias

from prs_otel.rollup import series
from prs_otel.scrape.buckets import bucket_of

if TYPE_CHECKING:
    from prs_otel.rollup.sample import Sample
    from prs_otel.rollup.series import Labels

Exemplars: TypeAlias = "Mapping[tuple[str, Labels, int], Sample]"
"""The samples by their kind, the labels of their series in a lifetime, and their bucket."""


def slowest(samples: Iterable[Sample]) -> Exemplars:
    """Return the slowest sample of each bucket that has the trace of any."""
    found: dict[tuple[str, Labels, int], Sample] = {}
    for sample in samples:
        labels = _labels(sample) if sample.trace_id else None
        if labels is None:
            continue
        key = sample.kind, labels, bucket_of(sample.duration)
        before = found.get(key)
        if before is None or before.duration < sample.duration:
            found[key] = sample
    return found


def _labels(sample: Sample) -> Labels | None:
    if sample.kind == series.REQUEST:
        return sample.endpoint or series.UNRESOLVED, sample.method
    if sample.kind == series.QUERY:
        return sample.alias, ""
    # A failure is a sample of its own kind already, and of a task none says what kind it was.
    return None
