from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from prs_otel import background, guard, native
from prs_otel.background import Background
from tests.support.wait import wait_until


def counting(steps: list[int], pause: float = 0.0) -> Callable[[], float]:
    def step() -> float:
        steps.append(threading.get_ident())
        return pause

    return step


def test_it_steps_until_it_is_stopped() -> None:
    steps: list[int] = []
    work = Background("test", counting(steps))

    work.start()
    wait_until(lambda: len(steps) > 3)

    was_alive = work.is_alive
    assert was_alive
    assert work.stop(5)
    assert not work.is_alive
    assert threading.get_ident() not in steps


def test_starting_twice_makes_one_thread() -> None:
    steps: list[int] = []
    work = Background("test", counting(steps))
    work.start()
    work.start()
    wait_until(lambda: len(steps) > 3)
    work.stop(5)

    assert len(set(steps)) == 1


def test_a_long_pause_ends_when_it_is_woken() -> None:
    steps: list[int] = []
    work = Background("test", counting(steps, pause=600))
    work.start()
    wait_until(lambda: len(steps) == 1)

    work.wake()
    work.wake()

    wait_until(lambda: len(steps) >= 2)
    assert work.stop(5)


def test_it_can_be_started_again() -> None:
    steps: list[int] = []
    work = Background("test", counting(steps, pause=600))
    work.start()
    work.stop(5)
    before = len(steps)

    work.start()

    wait_until(lambda: len(steps) > before)
    assert work.stop(5)


def test_a_step_that_fails_is_guarded_and_tried_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(background, "_AFTER_FAILURE", 0)
    monkeypatch.setattr(guard, "reraise", False)
    steps: list[int] = []

    def step() -> float:
        steps.append(1)
        raise ValueError("once more")

    work = Background("test", step)
    work.start()
    wait_until(lambda: len(steps) > 2)
    work.stop(5)

    assert guard.report()["background.test"] > 2


def test_stopping_gives_up_on_a_step_that_hangs() -> None:
    hanging = threading.Event()
    began = threading.Event()

    def step() -> float:
        began.set()
        hanging.wait(10)
        return 0.0

    work = Background("test", step)
    work.start()
    began.wait(5)

    assert not work.stop(0.01)
    hanging.set()
    wait_until(lambda: not work.is_alive)


def test_a_step_can_be_waited_for() -> None:
    steps: list[int] = []
    work = Background("test", counting(steps, pause=600))
    work.start()
    wait_until(lambda: len(steps) == 1)

    assert work.run(5)

    assert len(steps) >= 2
    assert work.stop(5)


def test_a_step_that_hangs_is_not_waited_for_for_ever() -> None:
    hanging = threading.Event()
    work = Background("test", lambda: float(hanging.wait(10)))
    work.start()

    assert not work.run(0.01)

    hanging.set()
    assert work.stop(5)


def test_nobody_waits_for_a_step_of_what_does_not_run() -> None:
    assert not Background("test", lambda: 0.0).run(5)


def test_a_thread_that_cannot_be_started_is_not_alive(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(*_: object) -> int:
        raise RuntimeError("can't start new thread")

    work = Background("test", lambda: 0.0)
    monkeypatch.setattr(native, "start_new_thread", refuse)

    with pytest.raises(RuntimeError, match="can't start"):
        work.start()

    assert not work.is_alive
    assert work.stop(5)


def test_stopping_what_never_started_is_nothing() -> None:
    assert Background("test", lambda: 0.0).stop(0)


# --- What the thread does, on this one: no tool sees what a native thread runs ---------


def test_its_steps_follow_each_other_until_one_stops_it() -> None:
    pauses = [0.0, -1.0, 0.0]

    def step() -> float:
        if len(pauses) == 1:
            work.stop(0)
        return pauses.pop()

    work = Background("test", step)
    work._run()

    assert pauses == []


def test_a_failed_step_is_followed_by_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(background, "_AFTER_FAILURE", 0)
    monkeypatch.setattr(guard, "reraise", False)
    steps: list[int] = []

    def step() -> float:
        steps.append(1)
        if len(steps) == 2:
            work.stop(0)
        raise ValueError("once more")

    work = Background("test", step)
    work._run()

    assert guard.report() == {"background.test": 2}


class GaveUp(BaseException):
    """What asyncio, gevent and others raise past everybody who handles exceptions."""


def test_the_thread_outlives_what_is_meant_to_end_one(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(background, "_AFTER_FAILURE", 0)
    ends: list[BaseException] = [SystemExit(1), GaveUp()]

    def step() -> float:
        if len(ends) == 1:
            work.stop(0)
        raise ends.pop()

    work = Background("test", step)
    work._run()

    assert guard.report() == {"background.test": 2}
    assert "interrupted by GaveUp()" in caplog.text


def test_who_waits_for_a_step_is_told_when_it_has_run() -> None:
    waiter = native.allocate_lock()
    waiter.acquire()

    def step() -> float:
        work.stop(0)
        return 0.0

    work = Background("test", step)
    work._awaited.append(waiter)
    work._run()

    assert not waiter.locked()


def test_the_last_task_follows_the_last_step() -> None:
    did: list[str] = []

    def step() -> float:
        did.append("step")
        work.stop(0)
        return 0.0

    def last() -> float:
        did.append("last")
        return 0.0

    work = Background("test", step, last=last)
    work._run()

    assert did == ["step", "last"]


def test_a_bell_that_somebody_else_rings_first_is_rung() -> None:
    class Bell:
        def locked(self) -> bool:
            return True

        def release(self) -> None:
            raise RuntimeError("release unlocked lock")

    work = Background("test", lambda: 0.0)
    work._bell = Bell()  # type: ignore[assignment]
    work.wake()
