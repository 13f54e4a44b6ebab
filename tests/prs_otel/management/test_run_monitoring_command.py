from __future__ import annotations

import os
import signal
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from prs_otel import pipeline
from tests.support.measured import Measured


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_may_lead_until_it_is_told_to_stop(
    measured: Measured, monkeypatch: pytest.MonkeyPatch, number: signal.Signals
) -> None:
    done: list[str] = []

    def serve(*, is_dedicated: bool) -> None:
        done.append("serve" if is_dedicated else "")
        os.kill(os.getpid(), number)

    monkeypatch.setattr(pipeline, "serve", serve)
    monkeypatch.setattr(pipeline, "shutdown", lambda: done.append("shutdown"))
    before = signal.getsignal(number)
    out = StringIO()

    call_command("run_monitoring", stdout=out)

    assert done == ["serve", "shutdown"]
    assert measured.view.store.url in out.getvalue()
    assert signal.getsignal(number) is before


@pytest.mark.usefixtures("measured")
def test_it_has_nothing_to_do_where_monitoring_is_switched_off(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pipeline, "is_enabled", lambda: False)

    with pytest.raises(CommandError, match="switched off"):
        call_command("run_monitoring")
