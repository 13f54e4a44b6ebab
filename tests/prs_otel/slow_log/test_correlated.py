from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator

import pytest
from opentelemetry import trace
from opentelemetry.sdk._logs import LoggerProvider, LoggingHandler
from opentelemetry.sdk._logs.export import (
    InMemoryLogRecordExporter,
    SimpleLogRecordProcessor,
)

from prs_otel.slow_log import correlated
from prs_otel.slow_log.entry import Entry

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
ENTRY = Entry({"event": "slow_query", "duration": 1.5}, TRACE, SPAN)


class Kept(logging.Handler):
    """A handler that keeps its lines, and the trace that was current at each."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []
        self.traces: list[int] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))
        self.traces.append(trace.get_current_span().get_span_context().trace_id)


@pytest.fixture
def kept(logger: logging.Logger) -> Kept:
    """Return a handler on that logger."""
    handler = Kept()
    logger.addHandler(handler)
    return handler


@pytest.fixture
def _factory_that_injects() -> Iterator[None]:
    """Set what opentelemetry-instrumentation-logging sets, in its own way."""
    before = logging.getLogRecordFactory()

    def factory(*args: object, **kwargs: object) -> logging.LogRecord:
        record = before(*args, **kwargs)
        record.otelTraceID = record.otelSpanID = "0"
        return record

    logging.setLogRecordFactory(factory)
    yield
    logging.setLogRecordFactory(before)


def test_a_format_string_can_name_trace_and_span(
    logger: logging.Logger, kept: Kept
) -> None:
    kept.setFormatter(logging.Formatter("%(otelTraceID)s %(otelSpanID)s %(message)s"))

    correlated.log(logger, logging.WARNING, ENTRY)

    assert kept.lines == [f"{TRACE} {SPAN} event=slow_query duration=1.5"]


@pytest.mark.usefixtures("_factory_that_injects")
def test_a_record_factory_that_sets_the_same_names_is_no_obstacle(
    logger: logging.Logger, kept: Kept
) -> None:
    kept.setFormatter(logging.Formatter("%(otelTraceID)s"))

    correlated.log(logger, logging.WARNING, ENTRY)

    assert kept.lines == [TRACE]


def test_without_a_trace_the_ids_are_0(logger: logging.Logger, kept: Kept) -> None:
    kept.setFormatter(logging.Formatter("%(otelTraceID)s %(otelSpanID)s"))

    correlated.log(logger, logging.WARNING, Entry({"event": "slow_query"}))

    assert kept.lines == ["0 0"]
    assert kept.traces == [trace.INVALID_TRACE_ID]


def test_handlers_find_the_trace_where_they_look_for_it(
    logger: logging.Logger, kept: Kept
) -> None:
    correlated.log(logger, logging.WARNING, ENTRY)

    assert kept.traces == [int(TRACE, 16)]
    assert trace.get_current_span() is trace.INVALID_SPAN


def test_an_exported_record_belongs_to_the_trace(logger: logging.Logger) -> None:
    exporter = InMemoryLogRecordExporter()  # type: ignore[no-untyped-call]
    provider = LoggerProvider(shutdown_on_exit=False)
    provider.add_log_record_processor(SimpleLogRecordProcessor(exporter))
    with warnings.catch_warnings():
        # The SDK's own handler is deprecated in favour of one in another package.
        warnings.simplefilter("ignore", DeprecationWarning)
        logger.addHandler(LoggingHandler(logger_provider=provider))

    correlated.log(logger, logging.WARNING, ENTRY)

    [exported] = exporter.get_finished_logs()
    record = exported.log_record
    assert (record.trace_id, record.span_id) == (int(TRACE, 16), int(SPAN, 16))
    assert record.body == "event=slow_query duration=1.5"
    assert dict(record.attributes or {})["performance"] == dict(ENTRY.fields)


def test_a_logger_that_is_not_to_warn_makes_no_record(
    logger: logging.Logger, kept: Kept
) -> None:
    logger.setLevel(logging.ERROR)

    correlated.log(logger, logging.WARNING, ENTRY)

    assert kept.lines == []
