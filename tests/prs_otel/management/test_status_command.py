from __future__ import annotations

from typing import NoReturn

import pytest
from django.test import override_settings

from prs_otel import pipeline, semconv
from prs_otel.monitoring import registry
from prs_otel.monitoring.registry import PackageStatus, StatusRequest
from prs_otel.store.base import StoreError
from prs_otel.validation import Problem
from tests.support.commands import manage_monitoring
from tests.support.measured import Measured


def test_a_monitor_that_works_is_ok(measured: Measured) -> None:
    measured.flush({semconv.PROCESS_MEMORY_USAGE: 64_000_000.0})

    outcome = manage_monitoring("status")
    lines = outcome.text.splitlines()

    assert outcome.exit_code == 0
    assert lines[0] == "Monitoring: ok"
    assert f"url   {measured.view.store.url}" in lines
    assert "web-1  4000  10 s  0 s ago  64.0 MB        0         0" in lines


def test_json_tells_all_of_it(measured: Measured) -> None:
    measured.flush({"prs.monitor.dropped": 2.0}, {"processor.on_end": 3})

    outcome = manage_monitoring("status", "--format", "json")
    document = outcome.json()

    assert outcome.exit_code == 1
    assert document["status"] == "warning"
    assert document["is_enabled"]
    assert document["store"]["is_reachable"]
    assert document["store"]["quota_bytes"] == 128_000_000
    assert document["monitor"]["dropped"] == 2
    assert document["workers"][0]["pid"] == 4_000
    assert document["failures"] == {"processor.on_end": 3}
    assert document["alerting"] is None


def test_failures_are_named_by_their_place(measured: Measured) -> None:
    measured.flush({}, {"processor.on_end": 3})

    assert "failed in processor.on_end: 3" in manage_monitoring("status").text


@pytest.mark.usefixtures("measured")
def test_no_worker_is_a_warning() -> None:
    outcome = manage_monitoring("status")

    assert outcome.exit_code == 1
    assert "warning: No worker reports" in outcome.text


def test_a_store_out_of_order_is_critical(
    measured: Measured, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> NoReturn:
        raise StoreError("the disk is full")

    broken = {"url": "sqlite:////x", "reachable": False, "last_error": "disk full"}
    monkeypatch.setattr(measured.view.store, "reading", fail)
    monkeypatch.setattr(measured.view.store, "status", lambda: broken)

    outcome = manage_monitoring("status")

    assert outcome.exit_code == 2
    assert "critical: The store cannot be used: disk full" in outcome.text


@pytest.mark.usefixtures("measured")
def test_switched_off_is_ok_and_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipeline, "is_enabled", lambda: False)

    outcome = manage_monitoring("status")

    assert outcome.exit_code == 0
    assert 'switched off by MONITORING_SETTINGS["ENABLED"]' in outcome.text


@override_settings(MONITORING_SETTINGS={"FLUSH_INTERVALL": 1})
def test_a_mistake_in_the_settings_is_shown_not_raised(measured: Measured) -> None:
    measured.flush()

    outcome = manage_monitoring("status")

    assert outcome.exit_code == 1
    assert "FLUSH_INTERVALL" in outcome.text


def test_the_evaluator_is_shown_where_alerting_is_installed(
    measured: Measured,
) -> None:
    measured.flush()
    evaluator = {
        "host": "web-1",
        "pid": 7,
        "last_evaluation_at": "2024-05-06T07:08:09Z",
    }
    registry.register_status(
        registry.ALERTING, lambda _: PackageStatus({"evaluator": evaluator})
    )

    outcome = manage_monitoring("status")

    assert outcome.exit_code == 0
    assert "last_evaluation_at  2024-05-06T07:08:09Z" in outcome.text


def test_it_is_shown_that_nobody_evaluates(measured: Measured) -> None:
    measured.flush()
    registry.register_status(
        registry.ALERTING, lambda _: PackageStatus({"evaluator": None})
    )

    assert "no evaluator is running" in manage_monitoring("status").text


@override_settings(MONITORING_SETTINGS={"FLUSH_INTERVALL": 1})
def test_mistakes_in_the_settings_of_alerting_follow_our_own(
    measured: Measured,
) -> None:
    mistake = Problem("value", "RULES", "RULES cannot be 1.", "Write a list.")
    measured.flush()
    registry.register_status(
        registry.ALERTING, lambda _: PackageStatus({}, settings_problems=(mistake,))
    )

    outcome = manage_monitoring("status", "--format", "json")
    ours, theirs = outcome.json()["settings_problems"]

    assert outcome.exit_code == 1
    assert ours["key"] == "FLUSH_INTERVALL"
    assert theirs["hint"] == "Write a list."


def test_alerting_is_told_since_when_anybody_works(measured: Measured) -> None:
    asked: list[StatusRequest] = []

    def build(request: StatusRequest) -> PackageStatus:
        asked.append(request)
        return PackageStatus({})

    registry.register_status(registry.ALERTING, build)
    manage_monitoring("status")
    measured.flush()
    manage_monitoring("status")

    assert asked == [
        StatusRequest(measured.now, None),
        StatusRequest(measured.now, measured.now - 10),
    ]


def test_an_alerting_that_fails_is_a_problem_not_an_error(measured: Measured) -> None:
    def fail(request: StatusRequest) -> PackageStatus:
        raise LookupError("no such table: prs_alerting_alert")

    measured.flush()
    registry.register_status(registry.ALERTING, fail)

    outcome = manage_monitoring("status")

    assert outcome.exit_code == 1
    assert "no such table: prs_alerting_alert" in outcome.text
