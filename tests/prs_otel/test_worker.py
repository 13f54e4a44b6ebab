from __future__ import annotations

import logging
import threading
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from prs_otel import guard, worker
from prs_otel.instrumentation import database
from prs_otel.plan import Plan
from prs_otel.publisher import Texts
from prs_otel.rollup import labelled, series
from prs_otel.rollup.recorder import Rollup
from prs_otel.rollup.view import SERVES, MetricsView
from prs_otel.store.base import Store, StoreError
from prs_otel.worker import Worker
from tests.prs_otel.rollup.observations import query, request
from tests.prs_otel.rollup.stored import counts, new_store, new_view
from tests.support.clock import Clock

open_connections = worker._open_connections
CONNECTIONS = "db.client.connection.count"
MEMORY = "prs.cache.memory.usage"
USED = labelled.key(CONNECTIONS, "default", "used")
PLAN = Plan(
    flush_interval=5.0,
    system_metrics_interval=15.0,
    retention_seconds=86_400.0,
    series_limit=50,
    quota_bytes=128_000_000,
    directory="/",
    settling_seconds=2.0,
)


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Tell the worker the time, and what the host and its process look like."""
    clock = Clock()
    times = SimpleNamespace(time=clock, monotonic=clock, thread_time=lambda: 0.5)
    monkeypatch.setattr(worker, "time", times)
    system = SimpleNamespace(
        process_gauges=lambda connections: {CONNECTIONS: float(connections)},
        host_gauges=lambda directory: {"system.cpu.utilization": 0.25},
    )
    monkeypatch.setattr(worker, "system", system)
    monkeypatch.setattr(worker, "_open_connections", lambda: 3)
    opened = SimpleNamespace(figures=lambda: {USED: 3.0})
    monkeypatch.setattr(worker, "opened", opened)
    monkeypatch.setattr(worker, "CacheUsage", lambda clock: Caches())
    return clock


class Caches:
    """Stand for the caches of a process."""

    def figures(self, *, leads: bool) -> dict[str, float]:
        own = {labelled.key(MEMORY, "default", "local"): 7.0}
        shared = {labelled.key(MEMORY, "shop", "shared"): 9.0}
        return {**own, **shared} if leads else own


class Process:
    """One process's worker, and what it counts and reads."""

    def __init__(self, store: Store, clock: Clock, plan: Plan = PLAN) -> None:
        self.clock, self.store = clock, store
        self.view: MetricsView = new_view(store)
        self.rollup = Rollup(series_limit=50, new_lock=threading.Lock, now=clock.now)
        self.worker = Worker(store, self.view, self.rollup, Texts(), plan)

    def settle(self) -> None:
        """Get over the first seconds, in which a fork may be about to happen."""
        self.clock.advance(2)

    def answer(self) -> None:
        self.rollup.record(request(at=self.clock.now))

    def counted(self) -> int:
        return sum(counts(self.view, seconds=600, now=self.clock.now + 1).values())

    def figures(self) -> dict[str, float]:
        (beat,) = self.view.processes(now=self.clock.now)
        return dict(beat.figures)


@pytest.fixture
def process(clock: Clock) -> Process:
    return Process(new_store(), clock)


def test_it_does_nothing_while_a_fork_may_be_about_to_happen(process: Process) -> None:
    assert process.worker.step() == 0.25
    assert process.view.processes(now=process.clock.now) == []

    process.settle()
    process.worker.step()

    assert len(process.view.processes(now=process.clock.now)) == 1


def test_a_request_shows_that_no_fork_is_about_to_happen(process: Process) -> None:
    process.answer()

    process.worker.step()

    assert process.counted() == 1


def test_the_memory_of_windows_nobody_reads_goes_back_to_the_system(
    process: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[str] = []
    back = SimpleNamespace(give_back=lambda: given.append("back"))
    monkeypatch.setattr(worker, "memory", back)
    process.settle()
    process.counted()

    process.worker.step()
    assert given == []
    process.clock.advance(600)
    process.worker.step()
    assert given == ["back"]


def test_a_flush_is_due_at_every_interval_and_not_between(process: Process) -> None:
    process.answer()
    process.worker.step()

    process.answer()
    process.clock.advance(4.25)
    assert process.worker.step() == 0.75
    assert process.counted() == 1

    process.clock.advance(0.75)
    process.worker.step()
    assert process.counted() == 2


def test_the_time_a_step_takes_is_no_pause(
    process: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    process.settle()
    monkeypatch.setattr(
        process.worker.publisher, "flush", lambda *_, **__: process.clock.advance(0.25)
    )

    assert process.worker.step() == 0.75


def test_it_looks_every_second_for_what_was_decided_elsewhere(process: Process) -> None:
    looks: list[float] = []
    process.worker.follow_changes = lambda: looks.append(process.clock.now)
    process.settle()

    pauses = []
    for _ in range(4):
        pauses.append(process.worker.step())
        process.clock.advance(0.5)

    assert pauses == [1.0, 0.5, 1.0, 0.5]
    assert len(looks) == 2


def test_where_counting_is_anew_a_new_delta_begins_at_once(process: Process) -> None:
    process.answer()
    process.worker.step()
    process.answer()
    process.clock.advance(1)
    process.store.reset(at=process.clock.now)
    process.clock.advance(1)
    process.worker.step()
    assert process.counted() == 0

    process.answer()
    process.clock.advance(1)
    process.worker.step()
    assert process.counted() == 0
    process.clock.advance(4)
    process.worker.step()

    assert process.counted() == 1


def test_in_a_hurry_it_flushes_at_once(process: Process) -> None:
    process.answer()
    process.worker.step()
    process.answer()
    process.worker.hurry()

    process.worker.step()

    assert process.counted() == 2


def test_in_a_hurry_not_even_the_first_seconds_are_waited_for(process: Process) -> None:
    process.rollup.record(query(at=process.clock.now))
    process.worker.hurry()

    process.worker.step()

    assert process.view.window(600, now=process.clock.now).total("query").count == 1


def test_a_worker_says_how_it_is_doing(process: Process) -> None:
    process.settle()
    process.worker.step()

    assert process.figures() == {
        CONNECTIONS: 3.0,
        USED: 3.0,
        labelled.key(MEMORY, "default", "local"): 7.0,
        "prs.monitor.dropped": 0.0,
        "prs.monitor.overflowed": 0.0,
        "prs.monitor.backlog": 0.0,
        "prs.monitor.lost_spans": 0.0,
        "prs.monitor.configuration": 0.0,
        "prs.monitor.overhead": 0.25,
        "prs.process.launched": 0.0,
        SERVES: 0.0,
    }


def test_the_leader_reads_the_caches_that_all_share(process: Process) -> None:
    process.settle()
    process.worker.may_lead = True
    process.worker.step()

    memory = labelled.parts(process.figures(), MEMORY)
    assert memory == {("default", "local"): 7.0, ("shop", "shared"): 9.0}
    ((labels, gauge),) = process.view.gauges(
        MEMORY, seconds=60, now=process.clock.now
    ).items()
    assert (labels[1], gauge.last) == ("shop", 9.0)


@pytest.mark.parametrize(("serves", "said"), [(True, {("2025.3",): 1.0}), (False, {})])
def test_who_serves_says_which_version(
    process: Process, monkeypatch: pytest.MonkeyPatch, serves: bool, said: object
) -> None:
    monkeypatch.setattr(worker, "service", SimpleNamespace(version=lambda: "2025.3"))
    process.settle()
    process.worker.may_lead = serves
    process.worker.step()

    gauges = process.view.gauges(
        series.VERSION_GAUGE, seconds=60, now=process.clock.now
    )
    assert {labels: gauge.last for labels, gauge in gauges.items()} == said


@pytest.mark.parametrize(
    ("plan", "read"),
    [
        (replace(PLAN, tracks_cache=False), {CONNECTIONS, USED}),
        (
            replace(PLAN, tracks_system=False),
            {
                labelled.key(MEMORY, "default", "local"),
                labelled.key(MEMORY, "shop", "shared"),
            },
        ),
    ],
)
def test_what_is_switched_off_is_not_read(
    clock: Clock, plan: Plan, read: set[str]
) -> None:
    process = Process(new_store(), clock, plan)
    process.settle()
    process.worker.may_lead = True
    process.worker.step()

    ours = ("prs.monitor", "prs.process")
    known = {name for name in process.figures() if not name.startswith(ours)}
    assert known == read
    gauges = process.view.all_gauges(seconds=60, now=clock.now)
    assert {name for name, _ in gauges} == (
        {CONNECTIONS, "system.cpu.utilization"} if plan.tracks_system else {MEMORY}
    )


# --- Who leads ------------------------------------------------------------------------


def test_a_process_that_answers_no_requests_does_not_lead(process: Process) -> None:
    process.settle()
    process.worker.step()

    assert process.worker.leadership.lease is None


def test_a_process_that_answers_requests_leads_and_reads_its_host(
    process: Process,
) -> None:
    process.worker.may_lead = True
    process.settle()

    process.worker.step()

    assert process.worker.leadership.lease is not None
    gauges = process.view.all_gauges(seconds=600, now=process.clock.now)
    readings = {name: gauge.last for (name, _), gauge in gauges.items()}
    assert readings == {"system.cpu.utilization": 0.25, CONNECTIONS: 3.0, MEMORY: 9.0}


def test_a_leader_renews_its_lease_between_two_flushes(
    process: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    renewals: list[float] = []
    process.worker.may_lead = True
    process.settle()
    process.worker.step()
    monkeypatch.setattr(process.worker.leadership, "contend", renewals.append)

    for _ in range(2):
        process.worker.step()
        process.clock.advance(1)
    process.worker.step()

    assert renewals == [process.clock.now]


def test_connections_of_all_workers_of_the_host_are_added_up(
    process: Process, clock: Clock
) -> None:
    for _ in range(2):
        other = Process(process.store, clock)
        other.answer()
        other.worker.step()
    process.worker.may_lead = True
    process.settle()

    process.worker.step()

    (gauge,) = process.view.gauges(CONNECTIONS, seconds=60, now=clock.now).values()
    assert gauge.last == 9.0


def test_a_master_that_has_forked_makes_way_and_keeps_still(process: Process) -> None:
    stopped: list[str] = []
    process.worker.leadership.on_lead(lambda _: lambda: stopped.append("stop"))
    process.worker.may_lead = True
    process.settle()
    process.worker.step()

    process.worker.has_forked = True

    assert process.worker.step() == 0.25
    assert process.worker.leadership.lease is None
    assert stopped == ["stop"]
    assert not process.worker.serves


def test_a_process_that_has_forked_still_hands_over_what_it_counts(
    process: Process,
) -> None:
    """As a command does that runs queries beside a pool of processes."""
    process.worker.has_forked = process.worker.may_lead = True
    process.settle()
    process.rollup.record(query(at=process.clock.now))

    process.worker.step()

    assert process.view.window(600, now=process.clock.now).total("query").count == 1
    assert process.worker.leadership.lease is None


def test_what_follows_an_hour_without_work_is_dated_when_it_happened(
    process: Process,
) -> None:
    process.worker.has_forked = True
    process.settle()
    for _ in range(3_600):
        process.clock.advance(1)
        process.worker.step()

    process.answer()
    process.worker.step()

    with process.store.reading() as reader:
        (row,) = reader.rows()
    assert row.end - row.start <= 1
    assert sum(counts(process.view, seconds=300, now=process.clock.now).values()) == 1


def test_who_has_forked_but_answers_requests_may_lead(process: Process) -> None:
    process.worker.has_forked = process.worker.may_lead = True
    process.answer()
    process.worker.step()
    process.clock.advance(2)

    process.worker.step()

    assert process.worker.leadership.lease is not None


def test_who_is_dedicated_to_leading_leads_even_after_a_fork(process: Process) -> None:
    process.worker.may_lead = process.worker.is_dedicated = True
    process.worker.has_forked = True
    process.settle()

    process.worker.step()

    assert process.worker.leadership.lease is not None
    assert process.worker.serves


# --- Faults and the end ---------------------------------------------------------------


def test_a_store_out_of_order_is_told_once_and_nothing_is_lost(
    process: Process,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise StoreError("the disk is full")

    process.answer()
    with monkeypatch.context() as faulty, caplog.at_level(logging.WARNING):
        faulty.setattr(process.store, "append", refuse)
        for _ in range(3):
            process.worker.step()
            process.clock.advance(5)
    process.worker.step()

    assert guard.report() == {"worker.flush": 3}
    assert len(caplog.records) == 1
    assert process.counted() == 1


def test_a_failure_of_ours_does_not_keep_the_others_from_their_work(
    process: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(connection_count: int) -> dict[str, float]:
        raise OSError("no such process")

    monkeypatch.setattr(guard, "reraise", False)
    monkeypatch.setattr(worker, "system", SimpleNamespace(process_gauges=fail))
    process.answer()

    process.worker.step()

    assert guard.report() == {"worker.gauges": 1}
    assert process.counted() == 1


def test_at_its_end_a_worker_hands_over_the_rest_and_makes_way(
    process: Process, clock: Clock
) -> None:
    process.worker.may_lead = True
    process.settle()
    process.worker.step()
    process.answer()

    assert process.worker.finish() == 0.0

    assert process.counted() == 1
    assert process.figures() == {SERVES: 0.0}
    assert process.view.workers(now=clock.now) == []
    successor = Process(process.store, clock)
    assert successor.worker.leadership.contend(clock.now)


def test_a_store_out_of_order_does_not_keep_a_worker_from_ending(
    process: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> Any:
        raise StoreError("the disk is full")

    process.worker.may_lead = True
    process.settle()
    process.worker.step()
    monkeypatch.setattr(process.store, "append", refuse)
    monkeypatch.setattr(process.store, "release", refuse)

    process.worker.finish()

    assert guard.report() == {"worker.finish": 1, "worker.resign": 1}


def test_a_plan_without_settling_begins_at_once(clock: Clock) -> None:
    process = Process(new_store(), clock, replace(PLAN, settling_seconds=0.0))

    process.worker.step()

    assert len(process.view.processes(now=clock.now)) == 1


def test_open_connections_are_those_of_all_databases(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = {"default": 2, "other": 1}
    monkeypatch.setattr(database, "open_connections", lambda: found)

    assert open_connections() == 3


def test_a_process_that_does_not_stay_reads_the_host_and_is_no_worker(
    process: Process, clock: Clock
) -> None:
    process.worker.sample_host()

    gauges = process.view.all_gauges(seconds=60, now=clock.now)
    readings = {name: gauge.last for (name, _), gauge in gauges.items()}
    assert readings == {"system.cpu.utilization": 0.25, CONNECTIONS: 3.0}
    assert process.view.workers(now=clock.now) == []
