from __future__ import annotations

import threading
import time
from types import SimpleNamespace

import pytest
from opentelemetry import _logs, metrics, trace

from prs_otel.launcher import exporting


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
