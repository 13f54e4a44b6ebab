from __future__ import annotations

import os
from typing import Any

import psutil
import pytest

from prs_otel.diagnosis import flow
from prs_otel.diagnosis.finding import Finding
from prs_otel.rollup.view import SERVES
from prs_otel.store.base import Beat
from tests.support.surroundings import NOW, alone, beat, surroundings


def found(*beats: Beat, **changes: Any) -> list[Finding]:
    return list(flow.examine(surroundings(beats=beats, **changes)))


def wrong(*beats: Beat, **changes: Any) -> list[str]:
    return [each.message for each in found(*beats, **changes) if each.level != "ok"]


def test_workers_that_flush_are_well() -> None:
    (only,) = found(beat(), beat(worker="w2", pid=4_001, seen_at=NOW - 3))

    assert only.level == "ok"
    assert only.message == "2 workers report; the quietest flushed 3.0 s ago."


def test_it_is_said_when_the_last_worker_was_seen() -> None:
    assert "was: 100 s ago" in wrong(beat(seen_at=NOW - 100))[0]
    assert "was: never" in wrong()[0]


def test_a_process_that_does_not_serve_is_no_worker() -> None:
    assert "No worker reports" in wrong(beat(figures={SERVES: 0.0}))[0]


def test_where_nothing_is_measured_nobody_has_to_report() -> None:
    (only,) = flow.examine(alone(is_enabled=False))

    assert only.level == "ok"


def test_what_was_lost_is_counted() -> None:
    lossy = beat(figures={"prs.monitor.dropped": 1_200.0}, failures={"cache": 3})

    assert wrong(lossy) == [
        "1,200 observations were dropped.",
        "The monitor failed in: cache (3).",
    ]


def test_a_process_that_runs_but_does_not_flush_is_stuck() -> None:
    started = psutil.Process().create_time()
    silent = beat(pid=os.getpid(), started_at=started + 1, seen_at=NOW - 60)

    messages = wrong(beat(), silent)

    assert messages == [
        f"Process {os.getpid()} of web-1 runs, but has not flushed for 60 s."
    ]


@pytest.mark.parametrize(
    "changes",
    [
        {"host": "web-2"},
        {"started_at": 1.0},
        {"pid": 2**22 + 1},
        {"figures": {SERVES: 0.0}},
        {"seen_at": NOW - 3_600},
    ],
)
def test_a_process_that_has_ended_or_is_elsewhere_is_not(
    changes: dict[str, object],
) -> None:
    process = {"pid": os.getpid(), "started_at": NOW * 2, "seen_at": NOW - 60}

    assert wrong(beat(), beat(**process, worker="w2")) != []
    assert wrong(beat(), beat(**{**process, **changes}, worker="w2")) == []


def test_a_host_in_the_future_has_another_time() -> None:
    (message,) = wrong(beat(), beat(host="web-2", seen_at=NOW + 10))

    assert "web-2 reported 10 s in the future" in message


def test_figures_from_the_future_show_that_the_clock_was_set_back() -> None:
    (message,) = wrong(beat(), latest=NOW + 3_600)

    assert "3600 s in the future" in message


def test_clocks_may_differ_by_a_second() -> None:
    assert wrong(beat(seen_at=NOW + 1), latest=NOW + 1) == []
    assert wrong(beat(), latest=None) == []


def test_a_clock_is_named_once_though_its_figures_are_in_the_future_too() -> None:
    (message,) = wrong(beat(), beat(host="web-2", seen_at=NOW + 10), latest=NOW + 10)

    assert "web-2" in message
