from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import pytest

from prs_otel.management.report import Level
from prs_otel.management.status_document import Findings, Status, StoreStatus, judged
from prs_otel.monitoring.registry import PackageStatus
from prs_otel.store.base import Beat
from prs_otel.validation import Problem


@dataclass(frozen=True)
class Found:
    level: Literal["warning", "critical"]
    message: str


def alerting(*problems: Found) -> PackageStatus:
    return PackageStatus({"evaluator": None}, problems)


NOW = 1_700_000_000.0
WORKER = Beat(
    worker="a" * 32,
    host="web-1",
    pid=10,
    started_at=NOW - 60,
    seen_at=NOW - 2,
    figures={},
    failures={},
)
STORE = StoreStatus(
    url="sqlite:////var/lib/prs.sqlite3",
    is_reachable=True,
    size_bytes=1_000,
    quota_bytes=128_000_000,
    last_error=None,
    set_aside=[],
)
WELL = Findings(
    store=STORE,
    workers=[WORKER],
    settings_problems=[],
    alerting=None,
    alerting_error=None,
    flush_interval=5.0,
)


def messages(status: Status) -> list[str]:
    return [f"{problem.level}: {problem.message}" for problem in status.problems]


def test_all_is_well_when_workers_report_to_a_store_that_works() -> None:
    status, level = judged(WELL, now=NOW)

    assert (level, status.status, messages(status)) == (Level.OK, "ok", [])


@pytest.mark.parametrize(
    ("findings", "level", "message"),
    [
        (
            replace(
                WELL,
                store=STORE.model_copy(
                    update={"is_reachable": False, "last_error": "no such file"}
                ),
            ),
            Level.CRITICAL,
            "critical: The store cannot be used: no such file",
        ),
        (
            replace(
                WELL, store=STORE.model_copy(update={"last_error": "the disk was full"})
            ),
            Level.WARNING,
            "warning: The store failed lately: the disk was full",
        ),
        (
            replace(
                WELL, store=STORE.model_copy(update={"set_aside": ["prs.corrupt"]})
            ),
            Level.WARNING,
            "warning: Unreadable store files were set aside: prs.corrupt",
        ),
        (
            replace(WELL, workers=[]),
            Level.WARNING,
            "warning: No worker reports: is the server running as this user?",
        ),
        (
            replace(WELL, workers=[replace(WORKER, seen_at=NOW - 16)]),
            Level.WARNING,
            "warning: A worker has not flushed for 16 s",
        ),
        (
            replace(
                WELL, workers=[replace(WORKER, figures={"prs.monitor.dropped": 1_200})]
            ),
            Level.WARNING,
            "warning: 1,200 observations were dropped",
        ),
        (
            replace(WELL, workers=[replace(WORKER, failures={"a": 2, "b": 1})]),
            Level.WARNING,
            "warning: The monitor failed 3 times; see its log",
        ),
        (
            replace(
                WELL, settings_problems=[Problem("type", "STORE", "No.", "Write.")]
            ),
            Level.WARNING,
            "warning: No. Write.",
        ),
        (
            replace(WELL, alerting_error="no such table"),
            Level.WARNING,
            "warning: The status of alerting cannot be had: no such table",
        ),
        (
            replace(WELL, alerting=alerting(Found("warning", "A rule fails"))),
            Level.WARNING,
            "warning: A rule fails",
        ),
        (
            replace(WELL, alerting=alerting(Found("critical", "Nobody evaluates"))),
            Level.CRITICAL,
            "critical: Nobody evaluates",
        ),
    ],
)
def test_what_is_wrong_is_said_with_its_level(
    findings: Findings, level: Level, message: str
) -> None:
    status, found = judged(findings, now=NOW)

    assert found == level
    assert status.status == level.name.lower()
    assert messages(status) == [message]


def test_the_worst_problem_decides() -> None:
    findings = replace(
        WELL,
        workers=[],
        alerting=alerting(Found("critical", "bad"), Found("warning", "not so bad")),
    )

    status, level = judged(findings, now=NOW)

    assert level is Level.CRITICAL
    assert [problem.level for problem in status.problems] == [
        "warning",
        "critical",
        "warning",
    ]


def test_switched_off_is_no_problem() -> None:
    status, level = judged(replace(WELL, store=None, workers=[]), now=NOW)

    assert level is Level.OK
    assert not status.is_enabled


def test_failures_are_summed_over_workers() -> None:
    workers = [
        replace(WORKER, failures={"processor.on_end": 2}),
        replace(WORKER, failures={"processor.on_end": 1, "cache": 4}),
    ]

    status, _ = judged(replace(WELL, workers=workers), now=NOW)

    assert status.failures == {"processor.on_end": 3, "cache": 4}


def test_an_alerting_that_finds_nothing_wrong_is_no_problem() -> None:
    status, level = judged(replace(WELL, alerting=alerting()), now=NOW)

    assert level is Level.OK
    assert status.alerting == {"evaluator": None}
