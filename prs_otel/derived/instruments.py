"""Hand over what is counted to the meter provider that is set, if it exports anything."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final

from opentelemetry import metrics, trace
from opentelemetry.metrics import Observation
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags

from prs_otel.derived.bulk import Counting, add, counting
from prs_otel.derived.catalog import BOUNDARIES, COUNTED, LOOKED, READ, TIMED
from prs_otel.derived.cumulative import Cumulative
from prs_otel.derived.durations import durations, told_apart

if TYPE_CHECKING:
    from _thread import LockType

    from opentelemetry.context import Context
    from opentelemetry.metrics import CallbackOptions, Histogram, Meter

    from prs_otel.derived.catalog import Timed
    from prs_otel.derived.durations import Duration
    from prs_otel.rollup.delta import Delta
    from prs_otel.rollup.series import Labels

    _Series = Callable[[str], Iterator[tuple[Labels, float]]]

SCOPE: Final = "prs_otel"
_HOST: Final = ("host.name",)


class Instruments:
    """Export the deltas of one process.

    `add` belongs to the background thread; the meter provider reads from a thread of its own.
    After a fork the child `begin`s anew.
    """

    def __init__(self, *, limit: int, new_lock: Callable[[], LockType]) -> None:
        self._limit, self._new_lock = limit, new_lock
        self._provider: object = None
        self._histograms: dict[str, Histogram] = {}
        self._countings: dict[tuple[str, Labels], Counting | None] = {}
        self.begin()

    def begin(self) -> None:
        """Count from zero, in a process that has just begun."""
        self._lock = self._new_lock()  # protects what is read while it is added to
        self._cumulative = Cumulative(self._limit)

    def add(self, delta: Delta) -> None:
        """Count what a worker has just sealed."""
        provider = metrics.get_meter_provider()
        if not _exports(provider):
            return
        if provider is not self._provider:
            self._provider = provider
            self._countings = {}
            self._register(metrics.get_meter(SCOPE))
        with self._lock:
            self._cumulative.add(delta)
        for timed in TIMED:
            for labels, found in groupby(durations(delta, timed), key=_labels):
                self._time(timed, labels, list(found))

    def _time(self, timed: Timed, labels: Labels, found: list[Duration]) -> None:
        """Record what an exemplar is made of, and the first of its labels; count the rest."""
        histogram, key = self._histograms[timed.name], (timed.name, labels)
        named, rest = told_apart(found, BOUNDARIES)
        if not named and key not in self._countings:
            named, rest = found[:1], found[1:]
        for each in named:
            _record(histogram, timed.labels, each)
        if key not in self._countings:
            attributes = dict(zip(timed.labels, labels, strict=True))
            self._countings[key] = counting(self._provider, histogram, attributes)
        into = self._countings[key]
        if into is not None:
            add(into, rest)
            return
        for each in rest:
            _record(histogram, timed.labels, each)

    def _register(self, meter: Meter) -> None:
        for timed in TIMED:
            self._histograms[timed.name] = meter.create_histogram(
                timed.name,
                unit="s",
                description=timed.description,
                explicit_bucket_boundaries_advisory=BOUNDARIES,
            )
        for counter in (*COUNTED, *LOOKED):
            meter.create_observable_counter(
                counter.name,
                [self._observed(Cumulative.sums, counter.name, counter.labels)],
                unit=counter.unit,
                description=counter.description,
            )
        for read in READ:
            meter.create_observable_gauge(
                read.name,
                [self._observed(Cumulative.readings, read.name, _HOST)],
                unit=read.unit,
                description=read.description,
            )

    def _observed(
        self,
        series: Callable[[Cumulative, str], Iterator[tuple[Labels, float]]],
        name: str,
        keys: Labels,
    ) -> Callable[[CallbackOptions], Iterable[Observation]]:
        def observe(_: CallbackOptions) -> list[Observation]:
            with self._lock:
                return [
                    Observation(value, dict(zip(keys, labels, strict=True)))
                    for labels, value in series(self._cumulative, name)
                ]

        return observe


def _exports(provider: object) -> bool:
    """Tell whether anybody reads what `provider` is told."""
    if not isinstance(provider, MeterProvider):
        return False
    # There is no public way to ask. Where it is kept elsewhere, somebody may.
    consumer: Any = getattr(provider, "_measurement_consumer", None)
    return bool(getattr(consumer, "_reader_storages", True))


def _labels(duration: Duration) -> Labels:
    return duration.labels


def _record(histogram: Histogram, keys: Labels, duration: Duration) -> None:
    attributes = dict(zip(keys, duration.labels, strict=True))
    context = _of_trace(duration) if duration.trace_id else None
    for _ in range(duration.times):
        histogram.record(duration.seconds, attributes, context)


def _of_trace(duration: Duration) -> Context:
    """Return the context of the trace that an exemplar is to name."""
    context = SpanContext(
        trace_id=int(duration.trace_id, 16),
        span_id=int(duration.span_id, 16),
        is_remote=False,
        trace_flags=TraceFlags(TraceFlags.SAMPLED),
    )
    return trace.set_span_in_context(NonRecordingSpan(context))
