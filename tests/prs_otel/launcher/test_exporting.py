from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from types import SimpleNamespace

import pytest
from opentelemetry import _logs, metrics, trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from prs_otel import keeping
from prs_otel.launcher import exporting

Outcome = SpanExportResult | Exception


class Exporter(SpanExporter):
    """An exporter that does as it is told, once it may."""

    def __init__(self, outcome: Outcome) -> None:
        self.outcome = outcome
        self.may = threading.Event()
        self.may.set()

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        self.may.wait(5)
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return self.outcome


def processor(outcome: Outcome, **options: int) -> exporting.PromptSpanProcessor:
    return exporting.PromptSpanProcessor(Exporter(outcome), **options)


def end_spans(found: exporting.PromptSpanProcessor, count: int) -> None:
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(found)
    for _ in range(count):
        provider.get_tracer("test").start_span("span").end()


@pytest.mark.parametrize(
    ("outcome", "lost"),
    [
        (SpanExportResult.SUCCESS, 0),
        (SpanExportResult.FAILURE, 3),
        (ValueError("no such batch"), 3),
    ],
    ids=repr,
)
def test_spans_that_no_collector_took_are_counted(
    monkeypatch: pytest.MonkeyPatch, outcome: Outcome, lost: int
) -> None:
    monkeypatch.setattr(keeping, "_undelivered", 0)
    found = processor(outcome)

    end_spans(found, 3)
    found.force_flush()

    assert keeping.lost() == lost
    found.shutdown()


def test_spans_that_found_the_queue_full_are_counted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(keeping, "_undelivered", 0)
    exporter = Exporter(SpanExportResult.SUCCESS)
    exporter.may.clear()
    found = exporting.PromptSpanProcessor(
        exporter,
        max_queue_size=4,
        max_export_batch_size=4,
        schedule_delay_millis=60_000,
    )
    end_spans(found, 4)
    # The first four wait in the exporter, from which they are taken off the queue.
    while found._batch_processor._queue:
        time.sleep(0.001)

    end_spans(found, 6)

    assert keeping.lost() == 2
    exporter.may.set()
    found.shutdown()


def test_what_else_an_exporter_can_do_it_does_as_before() -> None:
    exporter = Exporter(SpanExportResult.SUCCESS)

    counted = exporting.CountedExporter(exporter)

    assert counted.shutdown == exporter.shutdown
    assert counted.force_flush == exporter.force_flush


def serve_by(monkeypatch: pytest.MonkeyPatch, **providers: object) -> None:
    for module, name in (
        (trace, "get_tracer_provider"),
        (metrics, "get_meter_provider"),
        (_logs, "get_logger_provider"),
    ):
        provider = providers.get(name, object())
        monkeypatch.setattr(module, name, lambda provider=provider: provider)


def test_every_signal_that_can_be_is_flushed(monkeypatch: pytest.MonkeyPatch) -> None:
    flushed: list[str] = []
    serve_by(
        monkeypatch,
        get_tracer_provider=SimpleNamespace(force_flush=lambda: flushed.append("t")),
        get_meter_provider=SimpleNamespace(force_flush=lambda: flushed.append("m")),
    )

    exporting.flush(5.0)

    assert sorted(flushed) == ["m", "t"]


def test_a_collector_that_does_not_answer_holds_up_no_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answered = threading.Event()
    serve_by(
        monkeypatch, get_tracer_provider=SimpleNamespace(force_flush=answered.wait)
    )
    began = time.monotonic()

    exporting.flush(0.01)

    assert time.monotonic() - began < 5
    answered.set()
