"""The sampler `OTEL_TRACES_SAMPLER=prs_record_all`, for configurations of one's own."""

from __future__ import annotations

from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased

from prs_otel.sampling import RecordAll

__all__ = ["RecordAll", "factory"]


def factory(ratio: str | None) -> RecordAll:
    """Record everything and export the share `OTEL_TRACES_SAMPLER_ARG`, by default all.

    Raises `ValueError` when that is no number from 0 to 1; the SDK logs it.
    """
    return RecordAll(ParentBased(TraceIdRatioBased(float(ratio or 1))))
