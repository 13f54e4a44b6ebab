from __future__ import annotations

import pytest

from alerting.notifications.figures import clock, figure, lasting


@pytest.mark.parametrize(
    ("value", "metric", "shown"),
    [
        (0.25, "http.server.request.error_rate", "25 %"),
        (0.91234, "system.cpu.utilization", "91.23 %"),
        (2.5, "http.server.request.duration", "2.5 s"),
        (0.0421, "db.client.operation.duration", "42.1 ms"),
        (512, "process.memory.usage", "512 B"),
        (3.5 * 2**30, "process.memory.usage", "3.5 GiB"),
        (2**42, "process.memory.usage", "4 TiB"),
        (51, "db.client.connection.count", "51"),
        (12345.678, "custom", "12,345.7"),
        (None, "custom", "no data"),
    ],
)
def test_a_value_is_shown_in_the_unit_of_its_metric(
    value: float | None, metric: str, shown: str
) -> None:
    assert figure(value, metric) == shown


@pytest.mark.parametrize(
    ("value", "aggregation", "metric", "shown"),
    [
        (12, "count", "http.server.request.duration", "12"),
        (12, "count", "http.server.request.error_rate", "12"),
        (1, "absent", "http.server.request.duration", "1"),
        (0, "absent", "http.server.request.duration", "0"),
        (12, "rate", "http.server.request.duration", "12 /s"),
        (0.5, "rate", "http.server.request.error_rate", "0.5 /s"),
        (12, "avg", "http.server.request.rate", "12 /s"),
        (2.5, "p95", "http.server.request.duration", "2.5 s"),
        (2.5, "avg", "http.server.request.duration", "2.5 s"),
        (0.25, "ratio", "http.server.request.error_rate", "25 %"),
        (None, "count", "http.server.request.duration", "no data"),
    ],
)
def test_a_value_that_is_no_measurement_has_not_its_unit(
    value: float | None, aggregation: str, metric: str, shown: str
) -> None:
    assert figure(value, metric, aggregation) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0, "0 s"),
        (-5, "0 s"),
        (59.6, "1 min"),
        (90, "1 min 30 s"),
        (3_600, "1 h"),
        (3_700, "1 h 1 min"),
        (90_061, "1 d 1 h"),
    ],
)
def test_a_duration_is_shown_in_its_two_largest_units(
    seconds: float, shown: str
) -> None:
    assert lasting(seconds) == shown


def test_a_moment_is_shown_in_utc() -> None:
    assert clock(1_700_000_000.9) == "2023-11-14 22:13:20 UTC"
