from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.db import OperationalError
from django.test import Client, override_settings

from prs_otel import pipeline
from prs_otel.monitoring import readiness
from tests.support.commands import manage_monitoring
from tests.support.measured import Measured

pytestmark = pytest.mark.django_db(databases="__all__")


@pytest.fixture(autouse=True)
def _nothing_kept() -> Iterator[None]:
    readiness.forget()
    yield
    readiness.forget()


def test_all_is_well(measured: Measured) -> None:
    measured.flush()

    outcome = manage_monitoring("health-check")

    assert outcome.exit_code == 0
    assert outcome.text.splitlines()[:4] == [
        "Health: healthy",
        "",
        "check           status   detail",
        "database        healthy  answers",
    ]


@pytest.mark.urls("tests.prs_otel.monitoring.mounted")
def test_json_is_what_the_api_answers(measured: Measured, admin_client: Client) -> None:
    measured.flush()

    printed = manage_monitoring("health-check", "--format", "json").json()
    answered = admin_client.get("/api/monitoring/system/health/?ready=1").json()

    assert printed == answered


@pytest.mark.usefixtures("measured")
def test_a_monitor_without_workers_is_degraded() -> None:
    outcome = manage_monitoring("health-check")

    assert outcome.exit_code == 1
    assert "store           degraded  no worker reports" in outcome.text


def test_a_database_that_does_not_answer_is_unhealthy(
    measured: Measured, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OperationalError("password of alice refused")

    measured.flush()
    monkeypatch.setattr(readiness, "check_database", refuse)

    outcome = manage_monitoring("health-check")

    assert outcome.exit_code == 2
    assert "database        unhealthy  OperationalError" in outcome.text
    assert "alice" not in outcome.text


@override_settings(MONITORING_SETTINGS={"ENABLED": False})
def test_switched_off_is_degraded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipeline, "_current", None)

    assert manage_monitoring("health-check").exit_code == 1


def test_nothing_is_remembered_from_the_time_before(measured: Measured) -> None:
    assert manage_monitoring("health-check").exit_code == 1

    measured.flush()

    assert manage_monitoring("health-check").exit_code == 0
