"""Make the pipeline of this process hand out what a test has measured, at its time."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING

from prs_otel import pipeline
from prs_otel.management.commands import manage_monitoring
from prs_otel.monitoring.endpoints import administration, reading, scrape, system

if TYPE_CHECKING:
    import pytest

    from tests.support.measured import Measured


def serve(measured: Measured, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let API and commands read `measured`, as if now were its `now`."""
    clock = SimpleNamespace(time=lambda: measured.now)
    monkeypatch.setattr(administration, "time", clock)
    monkeypatch.setattr(reading, "time", clock)
    monkeypatch.setattr(scrape, "time", clock)
    monkeypatch.setattr(system, "time", clock)
    monkeypatch.setattr(manage_monitoring, "time", clock)
    monkeypatch.setattr(pipeline, "is_enabled", lambda: True)
    monkeypatch.setattr(pipeline, "view", lambda: measured.view)
    monkeypatch.setattr(pipeline, "store", lambda: measured.view.store)
