"""Wait for another process or thread, always with a deadline."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def wait_until(
    condition: Callable[[], T],
    *,
    seconds: float = 15.0,
    every: float = 0.05,
    what: str | Callable[[], str] = "",
) -> T:
    """Return the first truthy value of `condition`; fail when the deadline has passed.

    `what` says what was being waited for; a callable is asked only on failure, so it
    can show the state in which the wait ended.
    """
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() >= deadline:
            text = what() if callable(what) else what
            name = text or getattr(condition, "__name__", "the condition")
            message = f"not within {seconds:g} s: {name} (last value: {value!r})"
            raise TimeoutError(message)
        time.sleep(every)
