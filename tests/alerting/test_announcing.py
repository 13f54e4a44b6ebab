from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from opentelemetry import _logs
from opentelemetry.sdk._logs import LoggerProvider, ReadableLogRecord
from opentelemetry.sdk._logs.export import (
    InMemoryLogRecordExporter,
    SimpleLogRecordProcessor,
)

from alerting.rules import Severity
from alerting.wiring.announcing import EVENT, announce
from tests.support.notices import AT, notice, resolution

TRACE, SPAN = "a" * 32, "b" * 16


@pytest.fixture
def exporter(monkeypatch: pytest.MonkeyPatch) -> Iterator[InMemoryLogRecordExporter]:
    provider = LoggerProvider()
    found = InMemoryLogRecordExporter()  # type: ignore[no-untyped-call]
    provider.add_log_record_processor(SimpleLogRecordProcessor(found))
    monkeypatch.setattr(_logs, "get_logger", provider.get_logger)
    yield found
    provider.shutdown()


def records(exporter: InMemoryLogRecordExporter) -> list[Any]:
    found: tuple[ReadableLogRecord, ...] = exporter.get_finished_logs()
    return [each.log_record for each in found]


def test_each_step_of_an_alert_is_an_event(exporter: InMemoryLogRecordExporter) -> None:
    announce([notice(), resolution()])

    fired, over = records(exporter)
    assert {fired.event_name, over.event_name} == {EVENT}
    assert (fired.timestamp, fired.severity_text) == (AT * 1e9, "critical")
    assert fired.severity_number.name == "FATAL"
    assert fired.body == "Deals fail: 25 % > 20 %"
    assert dict(fired.attributes) == {
        "prs.alert.id": notice().alert_id,
        "prs.alert.name": "deals_errors",
        "prs.alert.severity": "critical",
        "prs.alert.transition": "firing",
        "prs.alert.state": "firing",
        "prs.alert.metric": "http.server.request.error_rate",
        "prs.alert.value": 0.25,
        "prs.alert.threshold": 0.2,
        "prs.alert.label.http.route": "/deals/",
    }
    assert over.severity_text == "info"
    assert over.attributes["prs.alert.transition"] == "resolved"


def test_every_severity_has_its_number(exporter: InMemoryLogRecordExporter) -> None:
    announce([notice(severity=each) for each in Severity])

    numbers = [each.severity_number.name for each in records(exporter)]
    assert numbers == ["INFO", "WARN", "ERROR", "FATAL"]


def test_an_event_belongs_to_the_worst_trace(
    exporter: InMemoryLogRecordExporter,
) -> None:
    evidence = {"traces": [TRACE, "c" * 32], "spans": [SPAN, "d" * 16]}

    announce([notice(evidence=evidence), notice(evidence={"traces": [TRACE]})])

    first, second = records(exporter)
    assert f"{first.trace_id:032x}" == TRACE
    assert f"{first.span_id:016x}" == SPAN
    assert list(first.attributes["prs.alert.traces"]) == evidence["traces"]
    assert not second.trace_id


def test_one_that_cannot_be_said_keeps_no_other_back(
    exporter: InMemoryLogRecordExporter, monkeypatch: pytest.MonkeyPatch
) -> None:
    from prs_otel import guard

    monkeypatch.setattr(guard, "reraise", False)
    broken = notice(evidence={"traces": ["no trace"], "spans": ["no span"]})

    announce([broken, notice(severity=Severity.WARNING)])

    assert [each.severity_text for each in records(exporter)] == ["warning"]
