from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.core.management import CommandError

from alerting.rules import Severity
from prs_otel.monitoring import registry
from prs_otel.monitoring.registry import DocumentRequest
from tests.support.commands import manage_monitoring

FIRING = {
    "id": 2,
    "name": "deals_errors",
    "severity": "critical",
    "state": "firing",
    "value": 0.25,
    "threshold": 0.2,
    "started_at": "2024-05-06T07:00:00Z",
    "fired_at": "2024-05-06T07:08:09Z",
    "resolved_at": None,
}
PENDING = {
    "id": 3,
    "name": "high_cpu_usage",
    "severity": "warning",
    "state": "pending",
    "value": None,
    "threshold": 80,
    "started_at": "2024-05-06T07:10:00Z",
    "fired_at": None,
    "resolved_at": None,
}
RESOLVED = {
    **FIRING,
    "id": 1,
    "state": "resolved",
    "resolved_at": "2024-05-06T07:18:09Z",
}

pytestmark = pytest.mark.usefixtures("measured")


def history(request: DocumentRequest) -> dict[str, object]:
    found = [
        item
        for item in (FIRING, PENDING, RESOLVED)
        if request.severity in (None, item["severity"])
    ]
    return {
        "items": found[: request.limit],
        "count": len(found),
        "asked": request.hours,
    }


def test_the_command_says_when_alerting_is_not_installed() -> None:
    with pytest.raises(CommandError, match='add "alerting" to INSTALLED') as caught:
        manage_monitoring("alerts")

    assert caught.value.returncode == 2


def test_alerts_are_a_table() -> None:
    registry.register_command_document(registry.ALERTS, history)

    outcome = manage_monitoring("alerts")

    assert outcome.exit_code == 0
    assert outcome.text.splitlines() == [
        "fired (UTC)  severity  state     alert           value  limit    lasted",
        "05-06 07:08  critical  firing    deals_errors     0.25    0.2         -",
        "05-06 07:10  warning   pending   high_cpu_usage      -     80         -",
        "05-06 07:08  critical  resolved  deals_errors     0.25    0.2  10.0 min",
    ]


def test_the_table_says_what_it_leaves_out() -> None:
    registry.register_command_document(registry.ALERTS, history)

    lines = manage_monitoring("alerts", "--limit", "2").text.splitlines()

    assert len(lines) == 4
    assert lines[-1] == "showing 2 of 3; --limit takes up to 1,000"


@pytest.mark.parametrize("severity", list(Severity))
def test_every_severity_of_a_rule_can_be_asked_for(severity: Severity) -> None:
    asked: list[str | None] = []

    def build(request: DocumentRequest) -> dict[str, object]:
        asked.append(request.severity)
        return {"items": []}

    registry.register_command_document(registry.ALERTS, build)
    manage_monitoring("alerts", "--severity", severity)

    assert asked == [severity]


@pytest.mark.parametrize("limit", ["0", "1001", "-1", "1.5", "all", ""])
def test_a_limit_out_of_bounds_is_refused(limit: str) -> None:
    with pytest.raises(CommandError, match="not a whole number from 1 to 1000"):
        manage_monitoring("alerts", f"--limit={limit}")


def test_times_may_also_come_as_times() -> None:
    fired_at = datetime(2024, 5, 6, 7, 8, 9, tzinfo=UTC)
    alert = {
        **FIRING,
        "fired_at": fired_at,
        "resolved_at": fired_at + timedelta(days=2),
    }
    registry.register_command_document(registry.ALERTS, lambda _: {"items": [alert]})

    (row,) = manage_monitoring("alerts").text.splitlines()[1:]

    assert row.startswith("05-06 07:08")
    assert row.endswith("2.0 d")


def test_hours_and_severity_are_passed_on() -> None:
    registry.register_command_document(registry.ALERTS, history)

    outcome = manage_monitoring(
        "alerts", "--hours", "3", "--severity", "warning", "--format", "json"
    )

    assert outcome.json() == {"items": [PENDING], "count": 1, "asked": 3.0}


def test_no_alerts_is_good_news() -> None:
    registry.register_command_document(registry.ALERTS, lambda _: {"items": []})

    assert manage_monitoring("alerts").text == "No alerts.\n"


def test_an_unknown_severity_is_refused() -> None:
    with pytest.raises(CommandError, match="invalid choice"):
        manage_monitoring("alerts", "--severity", "fatal")


def test_an_alerting_that_fails_is_critical() -> None:
    def fail(request: DocumentRequest) -> dict[str, object]:
        raise LookupError("no such table")

    registry.register_command_document(registry.ALERTS, fail)

    with pytest.raises(CommandError, match="no such table") as caught:
        manage_monitoring("alerts")

    assert caught.value.returncode == 2
