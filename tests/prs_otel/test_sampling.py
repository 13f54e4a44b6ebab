from __future__ import annotations

from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import (
    ALWAYS_OFF,
    ALWAYS_ON,
    Decision,
    ParentBased,
    Sampler,
    SamplingResult,
    TraceIdRatioBased,
)
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags, TraceState

from prs_otel.launcher.sampler import factory
from prs_otel.sampling import RecordAll, record_all_spans

STATE = TraceState([("vendor", "value")])


def remote_parent(flags: int) -> Context:
    context = SpanContext(1, 2, True, TraceFlags(flags), STATE)
    return trace.set_span_in_context(NonRecordingSpan(context))


def test_a_span_that_is_not_exported_keeps_its_attributes_and_trace_state() -> None:
    sampler = RecordAll(ParentBased(ALWAYS_ON))

    result = sampler.should_sample(remote_parent(0), 1, "name", attributes={"a": 1})

    assert result.decision is Decision.RECORD_ONLY
    assert result.attributes == {"a": 1}
    assert result.trace_state == STATE


def test_what_the_root_samples_is_left_as_the_root_says() -> None:
    sampler = RecordAll(ParentBased(ALWAYS_OFF))

    result = sampler.should_sample(remote_parent(1), 1, "name", attributes={"a": 1})

    assert result.decision is Decision.RECORD_AND_SAMPLE
    assert result.attributes == {"a": 1}


def test_every_span_is_recorded_whatever_the_ratio() -> None:
    provider = TracerProvider(sampler=TraceIdRatioBased(0.5), shutdown_on_exit=False)
    record_all_spans(provider)
    tracer = provider.get_tracer("test")

    spans = [tracer.start_span("span") for _ in range(200)]

    assert all(span.is_recording() for span in spans)
    sampled = sum(span.get_span_context().trace_flags.sampled for span in spans)
    assert 0 < sampled < 200


def test_a_provider_is_wrapped_once() -> None:
    provider = TracerProvider(sampler=ALWAYS_ON, shutdown_on_exit=False)
    record_all_spans(provider)
    record_all_spans(provider)

    assert isinstance(provider.sampler, RecordAll)
    assert provider.sampler.root is ALWAYS_ON


def test_a_provider_without_a_sampler_is_left_alone() -> None:
    record_all_spans(trace.NoOpTracerProvider())


def test_a_sampler_names_its_root() -> None:
    assert RecordAll(ALWAYS_ON).get_description() == "RecordAll{AlwaysOnSampler}"


@pytest.mark.parametrize(
    ("ratio", "expected"), [(None, 1.0), ("", 1.0), ("0.25", 0.25)]
)
def test_the_entry_point_takes_the_ratio_of_the_environment(
    ratio: str | None, expected: float
) -> None:
    assert f"TraceIdRatioBased{{{expected}}}" in factory(ratio).get_description()


def test_the_entry_point_refuses_what_is_no_ratio() -> None:
    with pytest.raises(ValueError, match="range"):
        factory("2")


class SixArguments(Sampler):
    """A sampler written before the trace state became a parameter."""

    def should_sample(  # type: ignore[override]
        self,
        parent_context: Any,
        trace_id: int,
        name: str,
        kind: Any = None,
        attributes: Any = None,
        links: Any = None,
    ) -> SamplingResult:
        return ALWAYS_ON.should_sample(parent_context, trace_id, name)

    def get_description(self) -> str:
        return "six"


def test_a_sampler_of_the_older_signature_still_works() -> None:
    result = RecordAll(SixArguments()).should_sample(None, 1, "name", None, {}, ())

    assert result.decision is Decision.RECORD_AND_SAMPLE
