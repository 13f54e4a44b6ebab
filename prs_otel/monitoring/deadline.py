"""Ask what may never answer, on a thread of its own.

A connection to a server that has vanished can hang for minutes, and so would the thread that
answers a health check.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

T = TypeVar("T")


def asked(question: Callable[[], T], *, name: str) -> Future[T]:
    """Return the future answer to `question`, asked by a daemon thread called `name`.

    Not by an executor: the interpreter waits for those at its end, and this may never end.
    """
    future: Future[T] = Future()

    def ask() -> None:
        try:
            future.set_result(question())
        except BaseException as error:  # noqa: BLE001 - raised where the result is asked for
            future.set_exception(error)

    threading.Thread(target=ask, name=name, daemon=True).start()
    return future
