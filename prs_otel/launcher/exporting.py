"""Exporting processors that do not hold up the end of a process.

The SDK's wait half a minute for a collector that does not answer, signal after signal.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final

from opentelemetry import _logs, metrics, trace
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.trace.export import (
    BatchSpanProcessor,
    SpanExporter,
    SpanExportResult,
)

from prs_otel import guard, keeping
from prs_otel.keeping import Keeping

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.sdk.trace import ReadableSpan, Span

SHUTDOWN_MILLISECONDS: Final = 1_200  # for each of traces, metrics and logs


class PromptSpanProcessor(BatchSpanProcessor):
    """Export what was sampled, and of the rest each trace that turns out to matter.

    Gives up on an unreachable collector soon after the process should end.
    """

    # A query's span may be handed over finished, without a start.
    ignores_query_start: Final = True

    def __init__(self, span_exporter: SpanExporter, **options: Any) -> None:  # noqa: ANN401 - the SDK's
        super().__init__(CountedExporter(span_exporter), **options)
        self._keeping: Keeping[ReadableSpan] | None = None
        batches = getattr(self, "_batch_processor", None)
        _count_overflow(batches)
        # The public way leaves out what was not sampled.
        emit = getattr(batches, "emit", None)
        if emit is not None:
            self._keeping = Keeping(emit)
            keeping.enlist(self._keeping)

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """Begin to hold back what a sampler has left out."""
        context = span.context
        if self._keeping and context is not None and not context.trace_flags & 1:
            with guard.guarded("exporting.begin"):
                if _is_local_root(span):
                    self._keeping.begin(context.trace_id)

    def on_end(self, span: ReadableSpan) -> None:
        """Queue a span, now or once its trace turns out to matter."""
        context = span.context
        if self._keeping is None or context is None or context.trace_flags & 1:
            super().on_end(span)
            return
        with guard.guarded("exporting.hold"):
            self._keeping.add(context.trace_id, span)
            if _is_local_root(span):
                self._keeping.end(context.trace_id)

    def shutdown(self) -> None:
        """Export what is queued, for as long as there is time."""
        if self._keeping is not None:
            keeping.dismiss(self._keeping)
        _shut_down(self, super().shutdown)


class CountedExporter(SpanExporter):
    """Count the spans that an exporter gives up, as the processor asks nobody.

    Whatever else an exporter can do, it does as before.
    """

    def __init__(self, exporter: SpanExporter) -> None:
        self._exporter = exporter
        # Not defined here, as the processor looks whether a time limit is among its arguments.
        self.shutdown = exporter.shutdown  # type: ignore[method-assign]
        self.force_flush = exporter.force_flush  # type: ignore[method-assign]

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Export a batch."""
        result = SpanExportResult.FAILURE
        try:
            result = self._exporter.export(spans)
        finally:
            if result is not SpanExportResult.SUCCESS:
                keeping.note_undelivered(len(spans))
        return result


def _count_overflow(batches: object) -> None:
    """Count what a full queue drops where the SDK counts it for its own metrics."""
    figures = getattr(batches, "_metrics", None)
    drop = getattr(figures, "drop_items", None)
    if drop is None:
        return

    def counted(count: int, *arguments: Any) -> None:  # noqa: ANN401 - the SDK's
        keeping.note_undelivered(count)
        drop(count, *arguments)

    with guard.guarded("exporting.overflow"):
        figures.drop_items = counted  # type: ignore[union-attr]


class PromptLogRecordProcessor(BatchLogRecordProcessor):
    """Give up on an unreachable collector soon after the process should end."""

    def shutdown(self) -> None:
        """Export what is queued, for as long as there is time."""
        _shut_down(self, super().shutdown)


def _is_local_root(span: ReadableSpan) -> bool:
    parent = span.parent
    return parent is None or parent.is_remote


def _shut_down(processor: object, otherwise: Callable[[], None]) -> None:
    # The public method has no timeout; the object behind it has.
    batches = getattr(processor, "_batch_processor", None)
    if batches is None:
        otherwise()
    else:
        batches.shutdown(timeout_millis=SHUTDOWN_MILLISECONDS)


def flush(seconds: float) -> None:
    """Export what is queued, traces, metrics and logs at once; wait no longer than `seconds`."""
    deadline = time.monotonic() + seconds
    providers: tuple[object, ...] = (
        trace.get_tracer_provider(),
        metrics.get_meter_provider(),
        _logs.get_logger_provider(),
    )
    # The SDK's own time limits are not kept: a collector may take as long as it likes.
    threads = [
        threading.Thread(target=force, daemon=True)
        for force in (getattr(each, "force_flush", None) for each in providers)
        if force is not None
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
