"""The SDK as the environment describes it, recording everything and ending in time."""

from __future__ import annotations

import atexit
import os

from opentelemetry import metrics, trace
from opentelemetry.sdk._configuration import _OTelSDKConfigurator
from opentelemetry.sdk.environment_variables import OTEL_CONFIG_FILE
from opentelemetry.sdk.metrics import MeterProvider

from prs_otel.launcher import defaults
from prs_otel.launcher.exporting import (
    SHUTDOWN_MILLISECONDS,
    PromptLogRecordProcessor,
    PromptSpanProcessor,
)
from prs_otel.sampling import record_all_spans
from prs_otel.semconv import SERVICE_NAME


class PrsConfigurator(_OTelSDKConfigurator):
    """Configure the SDK for the launcher, or for an application that did not."""

    def _configure(self, **options: object) -> None:
        # A configuration file decides for itself, and warns of every option.
        if not os.environ.get(OTEL_CONFIG_FILE):
            name = defaults.service_name(os.environ)
            if name is not None:
                options["resource_attributes"] = {SERVICE_NAME: name}
            options.setdefault("export_span_processor", PromptSpanProcessor)
            options.setdefault("export_log_record_processor", PromptLogRecordProcessor)
        super()._configure(**options)  # type: ignore[no-untyped-call]
        record_all_spans(trace.get_tracer_provider())
        _shut_down_metrics_promptly()


def _shut_down_metrics_promptly() -> None:
    provider = metrics.get_meter_provider()
    if isinstance(provider, MeterProvider):
        # Registered later than the provider's own handler, this one runs first; the
        # provider then takes back its own, which would wait for half a minute.
        atexit.register(provider.shutdown, timeout_millis=SHUTDOWN_MILLISECONDS)
