"""Log a line as part of the trace that it is about, long after that has ended."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from opentelemetry import context, trace
from opentelemetry.trace import NonRecordingSpan, SpanContext

from prs_otel.slow_log.logfmt import logfmt

if TYPE_CHECKING:
    import logging

    from prs_otel.slow_log.entry import Entry


def log(logger: logging.Logger, level: int, entry: Entry) -> None:
    """Give the line to the logger's handlers; what they raise passes.

    The record has `otelTraceID` and `otelSpanID` as opentelemetry-instrumentation-logging
    would set them, `performance` with the fields, and is handled within the trace's context,
    where handlers that export look for it.
    """
    if not logger.isEnabledFor(level):
        return
    with _within(entry):
        record = logger.makeRecord(
            logger.name, level, __file__, 0, "%s", (logfmt(entry.fields),), None
        )
        # Not by `extra`, which refuses names that a record factory has set already.
        record.otelTraceID = entry.trace_id or "0"
        record.otelSpanID = entry.span_id or "0"
        record.performance = dict(entry.fields)
        logger.handle(record)


@contextmanager
def _within(entry: Entry) -> Iterator[None]:
    ids = int(entry.trace_id or "0", 16), int(entry.span_id or "0", 16)
    span = NonRecordingSpan(SpanContext(*ids, is_remote=False))
    token = context.attach(trace.set_span_in_context(span))
    try:
        yield
    finally:
        context.detach(token)
