from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from alerting.diagnosis import STARTING, diagnose
from alerting.status import (
    ChannelStatus,
    EvaluatorStatus,
    HistoryStatus,
    RuleStatus,
    Status,
)

NOW = 1_700_000_000.0
THEN = datetime.fromtimestamp(NOW - 15, UTC)
EVALUATOR = EvaluatorStatus(
    host="web-1", pid=7, last_evaluation_at=THEN, interval=15, evaluation_seconds=0.1
)
RULE = RuleStatus(
    name="mine",
    text="",
    severities=["warning"],
    health="ok",
    last_error="",
    last_evaluation_at=THEN,
    series=1,
    dropped=0,
)
CHANNEL = ChannelStatus(
    name="email",
    health="ok",
    last_error="",
    last_success_at=THEN,
    failing_since=None,
    dead=0,
)
HISTORY = HistoryStatus(
    is_database_used=True, last_error="", journalled=0, dropped=0, journal_error=""
)
WELL = Status(evaluator=EVALUATOR, rules=[RULE], channels=[CHANNEL], history=HISTORY)


def found(
    status: Status = WELL, *, workers_since: float | None = NOW - 3600, **changes: Any
) -> list[str]:
    changed = status.model_copy(update=changes)
    problems = diagnose(changed, now=NOW, workers_since=workers_since)
    return [f"{problem.level}: {problem.message}" for problem in problems]


def test_nothing_is_wrong_where_everything_works() -> None:
    assert found() == []


def test_a_dead_evaluator_is_critical_while_workers_run() -> None:
    dead = EVALUATOR.model_copy(update={"is_alive": False})

    who = "The evaluator (web-1, process 7)"
    assert found(evaluator=dead) == [
        f"critical: {who} has not evaluated since 2023-11-14 22:13:05 UTC"
    ]
    assert found(evaluator=dead, workers_since=None) == []


def test_no_evaluator_is_critical_once_the_server_has_had_time_to_elect_one() -> None:
    nobody = "Nobody evaluates the rules: no alert will be told"

    assert found(Status(), workers_since=NOW - STARTING) == [f"critical: {nobody}"]
    assert found(Status(), workers_since=NOW - 5) == [f"warning: {nobody}"]
    assert found(Status(), workers_since=None) == []


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {
                "rules": [
                    RULE.model_copy(update={"health": "error", "last_error": "no x"})
                ]
            },
            "The rule mine cannot be evaluated: no x",
        ),
        (
            {"unevaluated_rules": ["a", "b"]},
            "The evaluator does not have these rules: a, b",
        ),
        (
            {
                "channels": [
                    CHANNEL.model_copy(update={"health": "error", "last_error": "550"})
                ]
            },
            "Alerts are not told by email: 550",
        ),
        (
            {
                "channels": [
                    CHANNEL.model_copy(
                        update={"health": "skipped", "last_error": "ADMINS is empty"}
                    )
                ]
            },
            "Alerts are not told by email: ADMINS is empty",
        ),
        (
            {
                "history": HISTORY.model_copy(
                    update={"is_database_used": False, "last_error": "refused"}
                )
            },
            "The database does not take the alerts: refused",
        ),
        (
            {"history": HISTORY.model_copy(update={"journalled": 1_200})},
            "Not yet in the database, but journalled: 1,200",
        ),
        (
            {"history": HISTORY.model_copy(update={"dropped": 3})},
            "Lost, as the journal was full: 3",
        ),
        (
            {"history": HISTORY.model_copy(update={"journal_error": "disk full"})},
            "The journal of alerting cannot be used: disk full",
        ),
    ],
)
def test_what_does_not_keep_alerts_from_being_told_is_a_warning(
    changes: dict[str, Any], message: str
) -> None:
    assert found(**changes) == [f"warning: {message}"]


def test_rules_are_not_missed_one_by_one_where_nobody_evaluates() -> None:
    assert len(found(Status(), unevaluated_rules=["a", "b"])) == 1


@pytest.mark.parametrize(
    ("firing", "expected"),
    [
        ({"critical": 1}, ["critical: Alerts firing: 1 critical"]),
        ({"error": 3}, ["critical: Alerts firing: 3 error"]),
        ({"warning": 2, "info": 1}, ["warning: Alerts firing: 2 warning, 1 info"]),
        (
            {"critical": 1, "error": 2, "warning": 3},
            [
                "critical: Alerts firing: 1 critical, 2 error",
                "warning: Alerts firing: 3 warning",
            ],
        ),
        ({"critical": 0, "warning": 0}, []),
    ],
)
def test_what_fires_is_as_bad_as_its_severity(
    firing: dict[str, int], expected: list[str]
) -> None:
    assert found(firing=firing) == expected
