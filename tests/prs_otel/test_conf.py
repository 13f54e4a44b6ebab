from __future__ import annotations

import logging
import math
from typing import Any

import pytest
from django.test import override_settings
from pydantic import ValidationError

from prs_otel import conf
from prs_otel.conf import MonitoringSettings
from prs_otel.validation import Problem


def settings(**values: object) -> override_settings:
    return override_settings(MONITORING_SETTINGS=values)


def only_problem() -> Problem:
    (problem,) = conf.problems()
    return problem


def resolve(request: object) -> str:
    return "acme"


class TestReading:
    def test_without_the_setting_everything_has_its_default(self) -> None:
        assert conf.current() == MonitoringSettings()
        assert conf.problems() == ()

    def test_a_repeated_query_is_told_from_the_fifth_time_and_50_ms_on(self) -> None:
        found = conf.current()

        assert (found.n_plus_one_threshold, found.n_plus_one_min_duration) == (5, 0.05)

    def test_every_dimension_is_told_apart_unless_it_is_switched_off(self) -> None:
        found = conf.current()
        switches = {
            name: getattr(found, name)
            for name in type(found).model_fields
            if name.startswith("track_")
        }

        assert switches == {
            "track_organizations": True,
            "track_users": True,
            "track_cache": True,
            "track_system_metrics": True,
        }

    def test_a_key_changes_its_attribute(self) -> None:
        with settings(SLOW_QUERY_THRESHOLD=0.25):
            assert conf.current().slow_query_threshold == 0.25

    def test_a_whole_number_of_seconds_is_a_number_of_seconds(self) -> None:
        with settings(FLUSH_INTERVAL=2):
            assert conf.current().flush_interval == 2.0
            assert conf.problems() == ()

    def test_the_settings_are_read_once(self) -> None:
        assert conf.current() is conf.current()

    def test_override_settings_works_and_is_undone(self) -> None:
        with settings(ENABLED=False):
            assert conf.current().enabled is False
        assert conf.current().enabled is True

    def test_the_settings_cannot_be_changed(self) -> None:
        with pytest.raises(ValidationError, match="frozen"):
            conf.current().enabled = False  # type: ignore[misc]

    @pytest.mark.parametrize(
        "store",
        [None, "memory://", "memory://a-test", "sqlite:////var/lib/prs.sqlite3"],
    )
    def test_a_store_is_named_by_its_url(self, store: str | None) -> None:
        with settings(STORE=store):
            assert conf.current().store == store


class TestMistakes:
    @pytest.mark.parametrize("raw", [None, 7, "SLOW_QUERY_THRESHOLD", [("ENABLED", 1)]])
    def test_a_setting_that_is_no_dictionary_leaves_the_defaults(
        self, raw: object
    ) -> None:
        with override_settings(MONITORING_SETTINGS=raw):
            assert conf.current() == MonitoringSettings()
            assert only_problem().kind == "shape"

    def test_an_unknown_key_names_the_one_that_was_meant(self) -> None:
        with settings(SLOW_QUERY_TRESHOLD=1.0):
            assert only_problem() == Problem(
                kind="unknown",
                key="SLOW_QUERY_TRESHOLD",
                message="MONITORING_SETTINGS['SLOW_QUERY_TRESHOLD'] is not a setting.",
                hint="Write 'SLOW_QUERY_THRESHOLD', or remove the key.",
            )

    def test_a_key_like_no_other_lists_them_all(self) -> None:
        with settings(XYZZY=1):
            assert "Choose from API_ERROR_RATE_CRITICAL" in only_problem().hint

    def test_a_lower_case_key_is_unknown(self) -> None:
        with settings(enabled=False):
            assert conf.current().enabled is True
            assert only_problem().hint == "Write 'ENABLED', or remove the key."

    def test_a_key_that_is_no_text_is_unknown(self) -> None:
        with override_settings(MONITORING_SETTINGS={5: 6}):
            assert only_problem().key == "5"

    @pytest.mark.parametrize(
        ("key", "value", "kind"),
        [
            ("ENABLED", "yes", "type"),
            ("ENABLED", 1, "type"),
            ("SLOW_QUERY_THRESHOLD", "1.0", "type"),
            ("SLOW_QUERY_THRESHOLD", None, "type"),
            ("SLOW_QUERY_THRESHOLD", -1, "value"),
            ("SLOW_QUERY_THRESHOLD", 1e300, "value"),
            ("SLOW_API_THRESHOLD", 86_401, "value"),
            ("SLOW_API_THRESHOLD", math.nan, "value"),
            ("SLOW_API_THRESHOLD", math.inf, "value"),
            ("N_PLUS_ONE_MIN_DURATION", True, "type"),
            ("CPU_WARNING_THRESHOLD", 0, "value"),
            ("CPU_CRITICAL_THRESHOLD", 101, "value"),
            ("DATABASE_CONNECTIONS_CRITICAL_THRESHOLD", 0, "value"),
            ("METRICS_RETENTION_HOURS", 0, "value"),
            ("METRICS_RETENTION_HOURS", 8761, "value"),
            ("METRICS_RETENTION_HOURS", 1.5, "type"),
            ("STORE", "sqlite://relative.sqlite3", "value"),
            ("STORE", "redis://localhost", "value"),
            ("STORE", 7, "type"),
            ("STORE_QUOTA_MB", 15, "value"),
            ("FLUSH_INTERVAL", 0.4, "value"),
            ("FLUSH_INTERVAL", 61, "value"),
            ("SYSTEM_METRICS_INTERVAL", 0.5, "value"),
            ("SYSTEM_METRICS_INTERVAL", 3601, "value"),
            ("SERIES_LIMIT", 0, "value"),
            ("SERIES_LIMIT", True, "type"),
            ("N_PLUS_ONE_THRESHOLD", 1, "value"),
            ("TENANT_RESOLVER", 3, "type"),
        ],
    )
    def test_a_wrong_value_costs_only_its_own_field(
        self, key: str, value: Any, kind: str
    ) -> None:
        with settings(**{key: value, "FLUSH_INTERVAL": 2.0} | {key: value}):
            default = getattr(MonitoringSettings(), key.lower())
            problem = only_problem()

            assert getattr(conf.current(), key.lower()) == default
            assert (problem.kind, problem.key) == (kind, key)
            assert problem.message.startswith(f"MONITORING_SETTINGS['{key}'] cannot be")
            assert problem.hint.startswith("Write ")
            assert problem.hint.endswith(f"Until then {default!r} is used.")

    def test_good_keys_survive_bad_ones(self) -> None:
        with settings(ENABLED=False, FLUSH_INTERVAL="often", NONSENSE=1, STORE=7):
            assert conf.current().enabled is False
            assert {problem.key for problem in conf.problems()} == {
                "FLUSH_INTERVAL",
                "NONSENSE",
                "STORE",
            }

    def test_a_message_says_what_to_write(self) -> None:
        with settings(FLUSH_INTERVAL=0.1):
            problem = only_problem()

        assert problem.message == "MONITORING_SETTINGS['FLUSH_INTERVAL'] cannot be 0.1."
        assert problem.hint == (
            "Write a number of seconds from 0.5 to 60. Until then 5.0 is used."
        )

    def test_a_message_keeps_a_password_to_itself(self) -> None:
        with settings(STORE="redis://user:secret@cache.example.org/0"):
            assert "'redis://…@cache.example.org/0'" in only_problem().message

    def test_a_long_value_is_shortened(self) -> None:
        with settings(STORE="x" * 1000):
            assert len(only_problem().message) < 150

    def test_every_field_says_what_may_be_written(self) -> None:
        wrong = dict.fromkeys(map(str.upper, MonitoringSettings.model_fields), object())
        with settings(**wrong):
            hints = [problem.hint for problem in conf.problems()]

        assert len(hints) == len(wrong)
        assert [hint for hint in hints if "another value" in hint] == []

    def test_a_mistake_is_logged_once(self, caplog: pytest.LogCaptureFixture) -> None:
        with settings(ENABLED="no"):
            conf.current()
            conf.current()

        (record,) = caplog.records
        assert (record.name, record.levelno) == ("prs_otel", logging.ERROR)
        assert "MONITORING_SETTINGS['ENABLED'] cannot be 'no'." in record.getMessage()


class TestLadders:
    @pytest.mark.parametrize("critical", [70, 80])
    def test_a_warning_must_be_below_its_critical_value(self, critical: int) -> None:
        with settings(CPU_WARNING_THRESHOLD=80, CPU_CRITICAL_THRESHOLD=critical):
            current = conf.current()
            problem = only_problem()

        assert (current.cpu_warning_threshold, current.cpu_critical_threshold) == (
            80,
            90,
        )
        assert problem.kind == "conflict"
        assert f"CPU_CRITICAL_THRESHOLD ({critical}" in problem.message

    def test_a_warning_alone_is_held_against_the_default(self) -> None:
        with settings(DISK_WARNING_THRESHOLD=97):
            assert conf.current().disk_warning_threshold == 90
            assert only_problem().key == "DISK_WARNING_THRESHOLD"

    def test_each_ladder_is_judged_for_itself(self) -> None:
        with settings(
            CPU_WARNING_THRESHOLD=95,
            MEMORY_WARNING_THRESHOLD=95,
            DISK_WARNING_THRESHOLD=50,
        ):
            assert [problem.key for problem in conf.problems()] == [
                "CPU_WARNING_THRESHOLD",
                "MEMORY_WARNING_THRESHOLD",
            ]
            assert conf.current().disk_warning_threshold == 50

    def test_the_model_itself_refuses_it(self) -> None:
        with pytest.raises(ValidationError, match="is not below"):
            MonitoringSettings(cpu_warning_threshold=95)


class TestResolvers:
    def test_there_is_none_by_default(self) -> None:
        assert conf.tenant_resolver() is None
        assert conf.user_organization() is None

    def test_a_function_is_itself(self) -> None:
        with settings(TENANT_RESOLVER=resolve):
            assert conf.tenant_resolver() is resolve

    def test_a_dotted_path_is_imported(self) -> None:
        with settings(USER_ORGANIZATION="library.tenants.of_user"):
            found = conf.user_organization()

        assert found is not None
        assert found.__name__ == "of_user"

    @pytest.mark.parametrize(
        ("path", "reason"),
        [
            ("nowhere.resolve", "ModuleNotFoundError: No module named 'nowhere'"),
            ("library.tenants.nobody", 'does not define a "nobody" attribute'),
            ("library.broken_settings.x", "RuntimeError: the site's own mistake"),
            ("library.settings.ROOT_URLCONF", "it is not a function"),
            ("nothing", "doesn't look like a module path"),
        ],
    )
    def test_a_path_that_leads_nowhere_is_a_problem(
        self, path: str, reason: str
    ) -> None:
        with settings(TENANT_RESOLVER=path):
            assert conf.tenant_resolver() is None
            problem = only_problem()

        assert (problem.kind, problem.key) == ("import", "TENANT_RESOLVER")
        assert reason in problem.message
        assert problem.hint.startswith("Write a function, its dotted path such as")

    def test_a_path_is_imported_once(self, caplog: pytest.LogCaptureFixture) -> None:
        with settings(USER_ORGANIZATION="nowhere.at.all"):
            conf.user_organization()
            conf.user_organization()

        assert len(caplog.records) == 1
