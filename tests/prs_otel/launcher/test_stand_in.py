from __future__ import annotations

import logging

import pytest
from opentelemetry import _logs, metrics, trace
from opentelemetry._logs import _internal as logs_state
from opentelemetry.metrics import _internal as metrics_state
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.util._once import Once

from prs_otel import guard
from prs_otel.launcher import stand_in


@pytest.fixture
def ours(monkeypatch: pytest.MonkeyPatch) -> TracerProvider:
    """Let all three global providers be ours."""
    states = (
        (trace, "_TRACER_PROVIDER"),
        (metrics_state, "_METER_PROVIDER"),
        (logs_state, "_LOGGER_PROVIDER"),
    )
    for state, name in states:
        monkeypatch.setattr(state, name, None)
        monkeypatch.setattr(state, f"{name}_SET_ONCE", Once())
    ours = new_provider()
    trace.set_tracer_provider(ours)
    metrics.set_meter_provider(MeterProvider(shutdown_on_exit=False))
    _logs.set_logger_provider(LoggerProvider(shutdown_on_exit=False))
    return ours


def new_provider() -> TracerProvider:
    return TracerProvider(shutdown_on_exit=False)


def test_the_application_s_own_provider_replaces_ours_and_is_followed(
    ours: TracerProvider, caplog: pytest.LogCaptureFixture
) -> None:
    followed: list[object] = []
    own = new_provider()

    assert stand_in.make_way(lambda: followed.append(trace.get_tracer_provider()))
    assert trace.get_tracer_provider() is ours
    trace.set_tracer_provider(own)

    assert followed == [own]
    assert caplog.records == []


def test_what_the_application_has_set_is_not_replaced_again(
    ours: TracerProvider, caplog: pytest.LogCaptureFixture
) -> None:
    followed: list[object] = []
    own = new_provider()
    stand_in.make_way(lambda: followed.append(""))

    trace.set_tracer_provider(own)
    with caplog.at_level(logging.WARNING):
        trace.set_tracer_provider(new_provider())

    assert trace.get_tracer_provider() is own
    assert followed == [""]
    assert len(caplog.records) == 1


def test_its_meters_and_loggers_win_too(ours: TracerProvider) -> None:
    stand_in.make_way(lambda: None)
    meters, loggers = (
        MeterProvider(shutdown_on_exit=False),
        LoggerProvider(shutdown_on_exit=False),
    )

    metrics.set_meter_provider(meters)
    _logs.set_logger_provider(loggers)

    assert metrics.get_meter_provider() is meters
    assert _logs.get_logger_provider() is loggers


def test_a_failure_to_follow_does_not_reach_the_application(
    ours: TracerProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise ValueError("broken")

    monkeypatch.setattr(guard, "reraise", False)
    stand_in.make_way(fail)

    trace.set_tracer_provider(new_provider())

    assert guard.report() == {"launcher.stand_in": 1}


def test_an_api_that_keeps_its_state_elsewhere_is_left_alone(
    ours: TracerProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trace, "_TRACER_PROVIDER_SET_ONCE", object())

    assert not stand_in.make_way(lambda: None)
    assert trace.get_tracer_provider() is ours
