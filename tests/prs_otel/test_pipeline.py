from __future__ import annotations

import os
import threading
from types import SimpleNamespace
from typing import Any

import pytest
from django.test import override_settings

from prs_otel import conf, distribution, guard, pipeline, process, stages
from prs_otel.distribution import Changed
from prs_otel.stages import Pipeline
from prs_otel.store import open_store
from prs_otel.store.base import Lease, StoreError
from tests.prs_otel.rollup.observations import query, request
from tests.prs_otel.rollup.stored import counts, new_store

FAR = 4_000_000_000.0  # later than any clock on which these tests run
DECADES = 3_000_000_000.0


class Instrumentation:
    """Note what is instrumented in place of doing it."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self.broken: set[str] = set()

    def note(self, name: str) -> Any:
        def install(*_: object, **__: object) -> None:
            if name in self.broken:
                raise RuntimeError(f"no {name} here")
            self.done.append(name)

        return install


class Background:
    """A background thread that never runs, and remembers what it was told."""

    def __init__(self, name: str, step: Any, *, last: Any) -> None:
        self.told: list[str] = []
        self.is_alive = False
        self.ends_in_time = True
        self._last = last

    def start(self) -> None:
        self.told.append("start")
        self.is_alive = True

    def wake(self) -> None:
        self.told.append("wake")

    def run(self, timeout: float) -> bool:
        self.told.append(f"run for {timeout:g} s")
        return self.is_alive

    def stop(self, timeout: float) -> bool:
        self.told.append(f"stop within {timeout:g} s")
        if self.ends_in_time:
            self._last()
        return self.ends_in_time


@pytest.fixture
def instrumentation(monkeypatch: pytest.MonkeyPatch) -> Instrumentation:
    found = Instrumentation()
    install = {
        "requests": SimpleNamespace(
            instrument=found.note("requests"), retrace=found.note("retrace")
        ),
        "database": SimpleNamespace(install=found.note("database")),
        "cache": SimpleNamespace(install=found.note("cache")),
        "attach": found.note("attach"),
    }
    for name, double in install.items():
        monkeypatch.setattr(stages, name, double)
    return found


@pytest.fixture(autouse=True)
def at_exit(
    monkeypatch: pytest.MonkeyPatch, instrumentation: Instrumentation
) -> list[object]:
    """Let this process have no pipeline yet; return what it is to do at its end."""
    registered: list[object] = []
    store = new_store()
    monkeypatch.setattr(stages, "open_store", lambda *_, **__: store)
    monkeypatch.setattr(pipeline, "_current", None)
    monkeypatch.setattr(pipeline, "_pid", 0)
    monkeypatch.setattr(pipeline, "_starts", [])
    monkeypatch.setattr(pipeline, "is_test_run", lambda: False)
    monkeypatch.setattr(stages, "Background", Background)
    atexit = SimpleNamespace(register=registered.append, unregister=lambda _: None)
    monkeypatch.setattr(pipeline, "atexit", atexit)
    monkeypatch.setattr(process, "finish_by_multiprocessing", registered.append)
    return registered


def told(found: Pipeline) -> list[str]:
    assert isinstance(found.background, Background)
    return found.background.told


def counted() -> dict[str, int]:
    return counts(pipeline.view(), seconds=DECADES, now=FAR)


# --- Beginning ------------------------------------------------------------------------


def test_there_is_one_pipeline_which_starts_nothing_by_itself(
    instrumentation: Instrumentation,
) -> None:
    found = pipeline.current()

    assert pipeline.current() is found
    assert (pipeline.view(), pipeline.store()) == (found.view, found.store)
    assert (instrumentation.done, told(found)) == ([], [])


def test_whoever_makes_it_second_gets_the_first_ones(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    other: Any = object()

    class Slow:
        def __enter__(self) -> None:
            monkeypatch.setattr(pipeline, "_current", other)

        def __exit__(self, *_: object) -> None:
            """Give nothing back."""

    monkeypatch.setattr(pipeline, "_making", Slow())

    assert pipeline.current() is other


def test_activating_instruments_and_starts_once(
    instrumentation: Instrumentation, at_exit: list[object]
) -> None:
    pipeline.activate()
    pipeline.activate()

    assert instrumentation.done == ["attach", "requests", "database", "cache"]
    assert told(pipeline.current()) == ["start"]
    assert at_exit == [pipeline.shutdown, pipeline.shutdown]


def test_caches_that_are_switched_off_stay_as_they_are(
    instrumentation: Instrumentation, settings: Any
) -> None:
    settings.MONITORING_SETTINGS = {
        "STORE": "memory://",
        "TRACK_CACHE": False,
        "TRACK_SYSTEM_METRICS": False,
    }
    pipeline.activate()

    assert instrumentation.done == ["attach", "requests", "database"]
    plan = pipeline.current().worker._plan
    assert (plan.tracks_cache, plan.tracks_system) == (False, False)


def test_whoever_activates_second_waits_until_all_is_instrumented(
    instrumentation: Instrumentation, monkeypatch: pytest.MonkeyPatch
) -> None:
    entered, go_on = threading.Event(), threading.Event()
    seen: list[list[str]] = []

    def slow(_: object) -> None:
        entered.set()
        assert go_on.wait(10)

    def second() -> None:
        pipeline.activate()
        seen.append(list(instrumentation.done))

    monkeypatch.setattr(stages, "attach", slow)
    threads = [threading.Thread(target=pipeline.activate)]
    threads[0].start()
    assert entered.wait(10)
    threads.append(threading.Thread(target=second))
    threads[1].start()
    go_on.set()
    for thread in threads:
        thread.join(10)

    assert seen == [["requests", "database", "cache"]]


@pytest.mark.parametrize("broken", ["attach", "requests", "database", "cache"])
def test_what_cannot_be_instrumented_does_not_take_the_others_with_it(
    instrumentation: Instrumentation, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    monkeypatch.setattr(guard, "reraise", False)
    instrumentation.broken = {broken}

    pipeline.activate()

    assert guard.report() == {f"pipeline.{broken}": 1}
    assert {*instrumentation.done, broken} == {
        "attach",
        "requests",
        "database",
        "cache",
    }
    assert told(pipeline.current()) == ["start"]


def test_a_provider_that_is_set_later_is_measured_through(
    instrumentation: Instrumentation,
) -> None:
    pipeline.follow_provider()
    assert instrumentation.done == []

    pipeline.activate()
    instrumentation.done.clear()
    pipeline.follow_provider()

    assert instrumentation.done == ["attach", "retrace", "database"]


@pytest.mark.parametrize("reason", ["switched off", "test run"])
def test_nothing_begins_where_nothing_may(
    instrumentation: Instrumentation,
    monkeypatch: pytest.MonkeyPatch,
    settings: Any,
    reason: str,
) -> None:
    if reason == "switched off":
        settings.MONITORING_SETTINGS = {"ENABLED": False}
    else:
        monkeypatch.setattr(pipeline, "is_test_run", lambda: True)

    pipeline.activate()
    pipeline.serve()

    assert pipeline._current is None
    assert instrumentation.done == []


def test_a_master_about_to_fork_is_instrumented_but_runs_no_thread(
    instrumentation: Instrumentation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "is_about_to_fork", lambda: True)

    pipeline.activate()

    assert instrumentation.done == ["attach", "requests", "database", "cache"]
    assert told(pipeline.current()) == []


@pytest.mark.parametrize("is_dedicated", [False, True])
def test_who_serves_may_lead_at_once(is_dedicated: bool) -> None:
    pipeline.serve(is_dedicated=is_dedicated)

    worker = pipeline.current().worker
    assert (worker.may_lead, worker.is_dedicated) == (True, is_dedicated)
    assert told(pipeline.current()) == ["start", "wake"]


def test_what_is_to_be_started_with_leadership_is_known_to_every_worker() -> None:
    def start(_: Lease) -> Any:
        """Stand for the evaluator."""

    pipeline.on_lead(start)
    found = pipeline.current()
    pipeline.on_lead(start)
    found.revive()

    assert found.worker.leadership.starts == [start, start]


# --- Settings that a test overrides ---------------------------------------------------


def test_a_pipeline_that_was_never_started_gives_way_to_overridden_settings(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(stages, "open_store", open_store)
    for url in ("memory://one-test", "memory://another"):
        with override_settings(MONITORING_SETTINGS={"STORE": url}):
            assert pipeline.store().url == url
            assert pipeline.store() is pipeline.store()

    assert pipeline._current is None


def test_a_pipeline_that_runs_has_the_thresholds_of_overridden_settings() -> None:
    pipeline.activate()
    found = pipeline.current()
    before = found.processor.thresholds
    with override_settings(MONITORING_SETTINGS={"SLOW_QUERY_THRESHOLD": 0.25}):
        assert found.processor.thresholds.slow_query == 250_000_000
        assert pipeline.current() is found

    assert found.processor.thresholds == before
    assert told(found) == ["start"]


def test_other_settings_leave_the_pipeline_alone() -> None:
    with override_settings(MONITORING_SETTINGS={}, DEBUG=True):
        found = pipeline.current()
        with override_settings(DEBUG=False):
            assert pipeline.current() is found


# --- The end --------------------------------------------------------------------------


def test_flushing_is_waited_for() -> None:
    assert not pipeline.flush()
    pipeline.activate()

    assert pipeline.flush(1.5)

    assert told(pipeline.current()) == ["start", "run for 1.5 s"]
    assert pipeline.current().worker._is_urgent


def test_the_background_thread_hands_over_the_last_of_it() -> None:
    pipeline.activate()
    found = pipeline.current()
    found.rollup.record(request())

    pipeline.shutdown()

    assert told(found) == ["start", "stop within 5 s"]
    assert counted() == {"/deals/": 1}
    assert pipeline.current() is not found


def test_without_its_thread_the_last_of_it_is_handed_over_all_the_same() -> None:
    pipeline.current().rollup.record(request())

    pipeline.shutdown()
    pipeline.shutdown()

    assert counted() == {"/deals/": 1}


def test_what_was_slow_at_last_is_in_the_log_when_the_process_ends(
    caplog: pytest.LogCaptureFixture,
) -> None:
    pipeline.current().rollup.record(request(duration=3_000_000_000, is_slow=True))

    pipeline.shutdown()

    [line] = [
        each.getMessage() for each in caplog.records if each.name == "performance"
    ]
    assert line.startswith("event=slow_request duration=3 method=GET route=/deals/")


def test_a_thread_that_hangs_is_left_alone_and_told_of(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline.activate()
    found = pipeline.current()
    assert isinstance(found.background, Background)
    found.background.ends_in_time = False
    for name in ("append", "close"):
        monkeypatch.setattr(found.store, name, None)

    pipeline.shutdown()

    assert guard.report() == {"pipeline.shutdown": 1}
    assert "could not be handed over in time" in caplog.text


def test_the_end_of_a_process_does_not_end_the_pipeline_of_another(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pipeline.activate()
    found = pipeline.current()
    monkeypatch.setattr(pipeline, "_pid", -1)

    pipeline.shutdown()

    assert told(found) == ["start"]


# --- Forks ----------------------------------------------------------------------------


@pytest.fixture
def forked(monkeypatch: pytest.MonkeyPatch) -> Pipeline:
    """Return a pipeline that was started by another process, as a child finds it."""
    pipeline.serve()
    found = pipeline.current()
    for _ in range(100):
        found.rollup.record(query())
    monkeypatch.setattr(pipeline, "_pid", -1)
    return found


@pytest.mark.parametrize("notice", [pipeline.postfork, pipeline._follow_into_child])
def test_a_child_begins_anew(forked: Pipeline, notice: Any) -> None:
    before = forked.worker.beat, forked.view, forked.background, forked.slow_log

    notice()
    notice()

    after = forked.worker.beat, forked.view, forked.background, forked.slow_log
    assert pipeline._pid == os.getpid()
    assert forked.rollup.is_empty
    assert all(new is not old for new, old in zip(after, before, strict=True))
    assert told(forked) == ["start"]
    assert (forked.worker.may_lead, forked.worker.has_forked) == (True, False)


def test_a_fork_without_hooks_is_noticed_when_the_pipeline_is_next_used(
    forked: Pipeline,
) -> None:
    assert pipeline.current() is forked
    assert forked.rollup.is_empty


def test_a_lock_that_a_thread_of_the_parent_held_is_replaced(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = pipeline._making

    pipeline._follow_into_child()

    assert pipeline._making is not before


def test_a_child_of_a_process_that_answers_requests_is_its_helper(
    forked: Pipeline,
) -> None:
    forked.worker.publisher.has_served = True

    pipeline.postfork()

    assert not forked.worker.serves


def test_what_was_never_started_stays_so_in_a_child(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = pipeline.current()
    monkeypatch.setattr(pipeline, "_pid", -1)

    pipeline.postfork()

    assert told(found) == []


def test_a_parent_remembers_that_it_has_forked() -> None:
    pipeline._note_fork()
    pipeline.current()

    pipeline._note_fork()

    assert pipeline.current().worker.has_forked


# --- Settings that change -------------------------------------------------------------


@pytest.fixture
def _changes_are_forgotten() -> Any:
    yield
    conf.change({})


def distribute(revision: int, **changes: object) -> None:
    changed = Changed(revision, changes)
    distribution.distribute(pipeline.current().store, changed)


@pytest.mark.usefixtures("_changes_are_forgotten")
def test_a_change_is_in_force_once_followed_and_outlives_the_store() -> None:
    found = pipeline.current()
    distribute(7, SLOW_QUERY_THRESHOLD=0.25, FLUSH_INTERVAL=2.0)

    found.follow_changes()

    assert found.processor.thresholds.slow_query == 250_000_000
    assert found.worker._flushing.interval == 2.0
    assert found.worker.revision == 7
    assert conf.current().slow_query_threshold == 0.25

    for lost in (b"", b"[]", b"{}", b"\xff"):
        found.store.put(distribution.DOCUMENT, lost)
        found.follow_changes()
    found.store.delete(distribution.DOCUMENT)
    found.follow_changes()
    assert conf.current().slow_query_threshold == 0.25

    distribute(8)
    pipeline.follow_changes()
    assert found.processor.thresholds.slow_query == 1_000_000_000


@pytest.mark.usefixtures("_changes_are_forgotten")
def test_a_forked_child_goes_on_with_what_its_parent_followed() -> None:
    found = pipeline.current()
    distribute(7, FLUSH_INTERVAL=2.0)
    found.follow_changes()

    found.revive()

    assert found.worker.revision == 7
    assert found.worker._flushing.interval == 2.0


def test_a_store_out_of_order_changes_nothing_for_a_command(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken(_: str) -> bytes:
        raise StoreError("no")

    monkeypatch.setattr(pipeline.current().store, "get", broken)

    pipeline.follow_changes()

    assert guard.report() == {"pipeline.follow": 1}
