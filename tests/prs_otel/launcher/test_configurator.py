from __future__ import annotations

import atexit
from collections.abc import Callable
from typing import Any

import pytest
from opentelemetry import metrics, trace
from opentelemetry.sdk._configuration import _OTelSDKConfigurator
from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from prs_otel.launcher import exporting
from prs_otel.launcher.configurator import PrsConfigurator
from prs_otel.launcher.exporting import PromptLogRecordProcessor, PromptSpanProcessor
from prs_otel.sampling import RecordAll


@pytest.fixture
def options(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Configure nothing; note with what the SDK would have been."""
    noted: list[dict[str, Any]] = []
    provider = TracerProvider(shutdown_on_exit=False)
    monkeypatch.setattr(
        _OTelSDKConfigurator, "_configure", lambda self, **given: noted.append(given)
    )
    monkeypatch.setattr(trace, "_TRACER_PROVIDER", provider)
    for name in ("OTEL_CONFIG_FILE", "OTEL_SERVICE_NAME", "OTEL_RESOURCE_ATTRIBUTES"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DJANGO_SETTINGS_MODULE", "shop.settings")
    return noted


def configure(**given: object) -> None:
    own: Any = PrsConfigurator
    own().configure(**given)


def test_the_sdk_is_told_the_projects_name_and_ends_in_time(
    options: list[dict[str, Any]],
) -> None:
    configure(auto_instrumentation_version="1")

    assert options == [
        {
            "auto_instrumentation_version": "1",
            "resource_attributes": {"service.name": "shop"},
            "export_span_processor": PromptSpanProcessor,
            "export_log_record_processor": PromptLogRecordProcessor,
        }
    ]
    provider: Any = trace.get_tracer_provider()
    assert isinstance(provider.sampler, RecordAll)


def test_a_service_the_user_named_keeps_its_name(
    options: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_SERVICE_NAME", "till")
    configure()

    assert "resource_attributes" not in options[0]


def test_a_configuration_file_decides_for_itself(
    options: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_CONFIG_FILE", "sdk.yaml")
    configure(auto_instrumentation_version="1")

    assert options == [{"auto_instrumentation_version": "1"}]


def test_metrics_are_shut_down_within_a_second_or_so(
    options: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    registered: list[tuple[Callable[..., Any], dict[str, Any]]] = []
    provider = MeterProvider(shutdown_on_exit=False)
    monkeypatch.setattr(metrics, "get_meter_provider", lambda: provider)
    monkeypatch.setattr(
        atexit, "register", lambda run, **given: registered.append((run, given))
    )
    configure()

    assert registered == [(provider.shutdown, {"timeout_millis": 1_200})]


@pytest.mark.parametrize(
    ("kind", "exporter"),
    [
        (PromptSpanProcessor, InMemorySpanExporter),
        (PromptLogRecordProcessor, InMemoryLogRecordExporter),
    ],
)
def test_exporting_stops_waiting_in_time(
    kind: Any, exporter: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    processor = kind(exporter())
    waited: list[float] = []
    shut_down = processor._batch_processor.shutdown

    def note(timeout_millis: float) -> None:
        waited.append(timeout_millis)
        shut_down(timeout_millis)

    monkeypatch.setattr(processor._batch_processor, "shutdown", note)
    processor.shutdown()

    assert waited == [exporting.SHUTDOWN_MILLISECONDS]


def test_an_sdk_that_keeps_its_batches_elsewhere_is_shut_down_its_own_way() -> None:
    called: list[bool] = []
    exporting._shut_down(object(), lambda: called.append(True))

    assert called == [True]
