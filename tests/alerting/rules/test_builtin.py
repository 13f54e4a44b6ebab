from __future__ import annotations

import pytest

from alerting.rules import built_in_rules, format_rule


def test_there_are_six_rules_with_two_severities_where_two_make_sense() -> None:
    assert [(rule.name, format_rule(rule)) for rule in built_in_rules({})] == [
        (
            "high_cpu_usage",
            "avg(system.cpu.utilization[2m]) > 0.8 warning, 0.9 critical for 30s",
        ),
        (
            "high_memory_usage",
            "avg(system.memory.utilization[2m]) > 0.8 warning, 0.9 critical for 30s",
        ),
        (
            "low_disk_space",
            "avg(system.filesystem.utilization[2m]) > 0.9 warning, 0.95 critical",
        ),
        (
            "high_slow_query_rate",
            (
                "ratio(db.client.operation.slow_rate[5m]) "
                "> 0.15 warning, 0.3 critical min_count 20"
            ),
        ),
        (
            "high_api_error_rate",
            (
                "ratio(http.server.request.error_rate[5m]) "
                "> 0.1 warning, 0.2 critical min_count 20"
            ),
        ),
        (
            "database_connection_issues",
            "max(db.client.connection.count[2m]) > 50 critical",
        ),
    ]


def test_thresholds_come_from_the_settings_in_percent() -> None:
    [rule, *_] = built_in_rules({"cpu_warning": 1, "cpu_critical": 2})

    assert [rung.threshold for rung in rule.rungs] == [0.01, 0.02]


@pytest.mark.parametrize(
    ("interval", "windows"),
    [
        (15, [120, 120, 120, 300, 300, 120]),
        (3600, [7200, 7200, 7200, 300, 300, 7200]),
    ],
)
def test_a_window_holds_two_readings_of_the_system(
    interval: float, windows: list[float]
) -> None:
    rules = built_in_rules({"system_metrics_interval": interval})

    assert [rule.window for rule in rules] == windows
