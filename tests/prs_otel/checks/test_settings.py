from __future__ import annotations

import pytest
from django.core import checks as django_checks
from django.test import override_settings

from prs_otel import checks, guard
from prs_otel.checks import finding


def test_good_settings_pass() -> None:
    with override_settings(MONITORING_SETTINGS={"FLUSH_INTERVAL": 1.0}):
        assert checks.check_settings(None) == []


def test_each_kind_of_mistake_has_an_id_of_its_own() -> None:
    wrong = {
        "SLOW_QUERY_TRESHOLD": 1.0,
        "ENABLED": "yes",
        "FLUSH_INTERVAL": 0.1,
        "CPU_WARNING_THRESHOLD": 95,
        "TENANT_RESOLVER": "nowhere.resolve",
    }
    with override_settings(MONITORING_SETTINGS=wrong):
        ids = sorted(message.id or "" for message in checks.check_settings(None))

    assert ids == [
        "prs_otel.E002",
        "prs_otel.E003",
        "prs_otel.E004",
        "prs_otel.E005",
        "prs_otel.E006",
    ]


def test_a_setting_that_is_no_dictionary_is_an_error() -> None:
    with override_settings(MONITORING_SETTINGS=7):
        (message,) = checks.check_settings(None)

    assert message.id == "prs_otel.E001"
    assert message.is_serious()


def test_a_message_names_the_setting_the_value_and_what_to_write() -> None:
    with override_settings(MONITORING_SETTINGS={"METRICS_RETENTION_HOURS": 0}):
        (message,) = checks.check_settings(None)

    assert message.msg == "MONITORING_SETTINGS['METRICS_RETENTION_HOURS'] cannot be 0."
    assert message.hint == "Write whole hours from 1 to 8760. Until then 24 is used."


def test_manage_py_check_runs_it() -> None:
    with override_settings(MONITORING_SETTINGS={"ENABLED": "yes"}):
        ids = [message.id for message in django_checks.run_checks(databases=[])]

    assert "prs_otel.E003" in ids


def test_manage_py_check_tells_what_is_wrong_around_us() -> None:
    wrong = {"STORE": "sqlite:////."}
    with override_settings(MONITORING_SETTINGS=wrong):
        messages = django_checks.run_checks(tags=[checks.TAG])

    [message] = messages
    assert (message.id, message.level) == ("prs_otel.W005", django_checks.WARNING)


def test_switched_off_there_is_nothing_to_look_for() -> None:
    off = {"ENABLED": False, "STORE": "sqlite:////."}
    with override_settings(MONITORING_SETTINGS=off):
        assert checks.findings() == []


def test_one_look_that_fails_does_not_keep_the_others_from_looking(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr(guard, "reraise", False)
    monkeypatch.setattr(checks.middleware, "findings", fail)
    with override_settings(MONITORING_SETTINGS={"STORE": "sqlite:////."}):
        assert [finding.id for finding in checks.findings()] == ["prs_otel.W005"]
    assert guard.report()["checks"] == 1


def test_an_id_that_somebody_may_have_silenced_keeps_its_meaning() -> None:
    ids = (
        finding.ORDER,
        finding.REPEATED,
        finding.ASGI,
        finding.DRIVER,
        finding.UNREACHABLE,
        finding.INSECURE,
    )

    assert ids == tuple(f"prs_otel.W00{number}" for number in range(1, 7))
