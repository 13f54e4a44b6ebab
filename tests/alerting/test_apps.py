from __future__ import annotations

import pytest
from django.apps import apps

from alerting import checks, wiring


def test_the_application_goes_by_its_label() -> None:
    config = apps.get_app_config("prs_alerting")

    assert (config.name, str(config.verbose_name)) == ("alerting", "Alerting")


def test_a_failure_of_ours_does_not_keep_the_application_from_starting(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail() -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr(checks, "register", lambda: None)
    monkeypatch.setattr(wiring, "connect", fail)

    apps.get_app_config("prs_alerting").ready()

    assert "alerting cannot stand by" in caplog.text
