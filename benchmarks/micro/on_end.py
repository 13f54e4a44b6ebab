"""What the processor adds to the end of a span, above an SDK without any processor.

Batches of spans are ended with and without it in turn, timed by the thread's CPU clock. Each holds
four of the folds that every 64th span pays for; the result is the median over many batches.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from opentelemetry.sdk.trace import TracerProvider

from benchmarks.measurement import Measurement, Subject
from benchmarks.micro.spans import Ending, Source
from prs_otel.observation import RequestContext, Thresholds, current_request
from prs_otel.processor import DerivedMetricsProcessor
from prs_otel.rollup.recorder import Rollup

if TYPE_CHECKING:
    from benchmarks.options import Options

GROUP: Final = "processor, per span, above an SDK without processors"
BATCH: Final = 256
BATCHES_A_ROUND: Final = 20
MICROSECONDS: Final = 1e-3  # in nanoseconds
LIMIT: Final = 1.2
LIMIT_IGNORED: Final = 0.15

Made = Callable[[Source], tuple[Ending, RequestContext | None]]

# What is ended, and what that may cost in microseconds.
ENDED: Final[tuple[tuple[str, Made, float | None], ...]] = (
    ("a request", Source.request, LIMIT),
    ("a query, as we make it", Source.query, LIMIT),
    ("a query through the public API", Source.query_by_api, None),
    ("an internal span, ignored", Source.internal, LIMIT_IGNORED),
    ("another client's span, ignored", Source.client, LIMIT_IGNORED),
)


def measure(options: Options) -> list[Measurement]:
    """Time the ends of every kind of span with and without the processor."""
    rollup = Rollup(series_limit=2_000, new_lock=threading.Lock)
    processor = DerivedMetricsProcessor(rollup.record, thresholds=Thresholds())
    bare, ours = Source(TracerProvider(), ()), Source(TracerProvider(), (processor,))
    ours.provider.add_span_processor(processor)
    batches = range(options.rounds * BATCHES_A_ROUND)
    return [
        Subject(GROUP, f"on_end of {name}", "µs", limit).median_of(
            [_batch(ours, make) - _batch(bare, make) for _ in batches]
        )
        for name, make, limit in ENDED
    ]


def _batch(source: Source, make: Made) -> float:
    """Return the CPU microseconds of one ``end()``, the mean of a batch."""
    made = [make(source) for _ in range(BATCH)]
    before = time.thread_time_ns()
    for span, request in made:
        current_request.set(request)
        span.end()
    return (time.thread_time_ns() - before) / BATCH * MICROSECONDS
