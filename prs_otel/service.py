"""What the service says of itself, as OpenTelemetry's resource attributes."""

from __future__ import annotations

from typing import Final

from opentelemetry import trace
from opentelemetry.sdk.resources import OTELResourceDetector
from opentelemetry.sdk.trace import TracerProvider

from prs_otel.semconv import SERVICE_VERSION

_LONGEST: Final = 100


def version() -> str | None:
    """Return the version that is served, None where nobody says it.

    What the application's own tracer provider says goes before `OTEL_RESOURCE_ATTRIBUTES`.
    """
    provider = trace.get_tracer_provider()
    attributes = (
        provider.resource.attributes
        if isinstance(provider, TracerProvider)
        else OTELResourceDetector().detect().attributes
    )
    found = attributes.get(SERVICE_VERSION)
    return str(found)[:_LONGEST] if found else None
