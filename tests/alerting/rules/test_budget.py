from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import pytest

from alerting.rules import CodeRule
from alerting.rules.budget import TimeBudget


def rule(condition: object) -> CodeRule:
    return CodeRule("r", condition)  # type: ignore[arg-type]


def test_the_answer_is_the_conditions() -> None:
    ask = TimeBudget()

    assert ask(rule(lambda metrics: metrics["a"] > 1), {"a": 2.0})
    assert not ask(rule(lambda metrics: metrics["a"] > 1), {"a": 1.0})


def test_what_the_condition_raises_is_raised() -> None:
    with pytest.raises(ZeroDivisionError):
        TimeBudget()(rule(lambda _: 1 / 0), {})


def test_a_condition_cannot_end_the_evaluator() -> None:
    def leave(_: Mapping[str, float]) -> bool:
        raise SystemExit

    with pytest.raises(RuntimeError, match="the condition raised SystemExit"):
        TimeBudget()(rule(leave), {})


def test_a_condition_that_hangs_is_left_and_not_asked_again_until_it_is_back() -> None:
    release, is_back = threading.Event(), threading.Event()
    asked = []

    def hang(_: Mapping[str, float]) -> bool:
        asked.append(True)
        release.wait(10)
        is_back.set()
        return True

    ask = TimeBudget(0.01)
    with pytest.raises(TimeoutError, match=r"more than 0\.01 s"):
        ask(rule(hang), {})
    with pytest.raises(TimeoutError, match="has not come back"):
        ask(rule(hang), {})
    assert len(asked) == 1

    release.set()
    is_back.wait(10)
    ask._hanging["r"].is_given.wait(10)
    assert ask(rule(hang), {})


def test_a_condition_runs_inside_its_surroundings() -> None:
    entered = []

    @contextmanager
    def around() -> Iterator[None]:
        entered.append(threading.current_thread().name)
        yield

    TimeBudget(around=around)(rule(lambda _: True), {})

    assert entered == ["alerting-condition-r"]
