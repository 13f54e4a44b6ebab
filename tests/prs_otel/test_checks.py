from __future__ import annotations

from django.core import checks as django_checks
from django.test import override_settings

from prs_otel import checks


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
