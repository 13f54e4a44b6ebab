from __future__ import annotations

import pytest

from prs_otel.monitoring import registry
from tests.support.measured import Measured
from tests.support.served import serve

NOW = 1_700_000_000.0


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> Measured:
    """Let the commands read what the test measures; alerting is not installed."""
    monkeypatch.setattr(registry, "_builders", {})
    monkeypatch.setattr(registry, "_status_builders", {})
    monkeypatch.setattr(registry, "_cleanup_builders", {})
    monkeypatch.setenv("COLUMNS", "80")
    measured = Measured(now=NOW)
    serve(measured, monkeypatch)
    return measured
