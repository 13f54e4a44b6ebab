from __future__ import annotations

import threading
from contextvars import ContextVar

import pytest

from alerting.channels.deadline import Deadline

word: ContextVar[str] = ContextVar("word", default="")


def test_a_call_returns_what_its_work_does_in_the_same_context() -> None:
    word.set("said")

    assert Deadline("it").call(word.get, seconds=5) == "said"


def test_a_call_raises_what_its_work_does() -> None:
    with pytest.raises(ZeroDivisionError):
        Deadline("it").call(lambda: 1 // 0, seconds=5)


def test_what_takes_too_long_is_left_and_not_called_again_before_it_is_back() -> None:
    deadline, end = Deadline("the work"), threading.Event()

    with pytest.raises(TimeoutError, match=r"the work took more than 0\.01 s"):
        deadline.call(lambda: end.wait(30), seconds=0.01)
    with pytest.raises(TimeoutError, match="the work has not come back"):
        deadline.call(lambda: True, seconds=5)

    end.set()
    assert deadline._thread is not None
    deadline._thread.join(5)
    assert deadline.call(lambda: True, seconds=5)
