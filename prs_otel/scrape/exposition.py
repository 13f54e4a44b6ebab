"""Write a snapshot as Prometheus reads it: OpenMetrics where that is accepted, else plain text.

Names and labels are those of the derived metrics after their translation from OTLP, so that the
exported rules hold for either. A series has each of its counters from its beginning on, at 0 if
need be: Prometheus sees no increase in a sample without one before it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Final

from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
)
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector
from prometheus_client.samples import Exemplar
from prometheus_client.utils import floatToGoString

from prs_otel.derived.catalog import BOUNDARIES, COUNTED, LOOKED, READ, TIMED
from prs_otel.derived.cumulative import projected
from prs_otel.promql.names import label_name, metric_name
from prs_otel.scrape.buckets import cumulative
from prs_otel.scrape.exemplars import slowest
from prs_otel.semconv import HOST_NAME
from prs_otel.store.validity import encodable

if TYPE_CHECKING:
    from prometheus_client import Metric

    from prs_otel.derived.catalog import Counted, Looked, Timed
    from prs_otel.rollup.cells import Cells
    from prs_otel.rollup.sample import Sample
    from prs_otel.rollup.series import Labels
    from prs_otel.scrape.exemplars import Exemplars
    from prs_otel.scrape.snapshot import Snapshot

_NS: Final = 1e9
_EDGES: Final = (*map(floatToGoString, BOUNDARIES), "+Inf")


def written(snapshot: Snapshot, *, accept: str) -> tuple[bytes, str]:
    """Return the text for a client with that `Accept` header, and its content type."""
    try:
        encode, content_type = choose_encoder(accept)
    except (TypeError, ValueError):  # a version that is none
        encode, content_type = choose_encoder("")
    return encode(_Collected(snapshot)), content_type


class _Collected(Collector):
    """Hand out a snapshot the way the library asks for it."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot

    def collect(self) -> Iterator[Metric]:
        """Yield every metric, those without a series as well."""
        cells = self._snapshot.cells
        exemplars = slowest(self._snapshot.samples)
        for timed in TIMED:
            yield _histogram(timed, cells, exemplars)
        for counted in COUNTED:
            yield _counter(counted, cells)
        for looked in LOOKED:
            yield _looked(looked, cells)
        yield from _gauges(self._snapshot.readings)


def _histogram(timed: Timed, cells: Cells, exemplars: Exemplars) -> Metric:
    family = HistogramMetricFamily(
        metric_name(timed.name, unit="s", kind="histogram"),
        timed.description,
        labels=_names(timed.labels),
    )
    for labels, cell in cells.by_kind.get(timed.kind, {}).items():
        buckets = [
            _bucket(edge, count, exemplars.get((timed.kind, labels, place)))
            for place, (edge, count) in enumerate(
                zip(_EDGES, cumulative(cell.bins), strict=True)
            )
        ]
        chosen = projected(labels, timed.kind, timed.labels)
        family.add_metric(_values(chosen), buckets, cell.total / _NS)
    return family


def _counter(counted: Counted, cells: Cells) -> Metric:
    family = _counters(counted)
    for labels, cell in cells.by_kind.get(counted.kind, {}).items():
        chosen = projected(labels, counted.kind, counted.labels)
        amount = getattr(cell, counted.figure) * counted.scale
        family.add_metric(_values(chosen), amount)
    return family


def _looked(looked: Looked, cells: Cells) -> Metric:
    family = _counters(looked)
    for labels, amount in cells.counters.get(looked.counter, {}).items():
        family.add_metric(_values(labels), amount)
    return family


def _counters(of: Counted | Looked) -> CounterMetricFamily:
    return CounterMetricFamily(
        metric_name(of.name, unit=of.unit, kind="counter"),
        of.description,
        labels=_names(of.labels),
    )


def _gauges(readings: Mapping[str, Mapping[Labels, float]]) -> Iterator[Metric]:
    for read in READ:
        family = GaugeMetricFamily(
            metric_name(read.name, unit=read.unit, kind="gauge"),
            read.description,
            labels=_names((HOST_NAME,)),
        )
        for labels, value in readings.get(read.name, {}).items():
            family.add_metric(_values(labels), value)
        yield family


def _bucket(
    edge: str, count: int, sample: Sample | None
) -> tuple[str, float] | tuple[str, float, Exemplar]:
    if sample is None:
        return edge, count
    named = {"trace_id": sample.trace_id, "span_id": sample.span_id}
    labels = {name: value for name, value in named.items() if value}
    return edge, count, Exemplar(labels, sample.duration, sample.at)


def _names(labels: Labels) -> list[str]:
    return [label_name(name) for name in labels]


def _values(labels: Labels) -> list[str]:
    return [encodable(value) for value in labels]
