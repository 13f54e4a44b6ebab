"""Give somebody else's code a limited time, and go on without it when that is over."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextvars import copy_context
from dataclasses import dataclass, field
from typing import Generic, TypeVar

__all__ = ["Deadline"]

Result = TypeVar("Result")


@dataclass
class _Call(Generic[Result]):
    """A call on its way, and what has come of it."""

    work: Callable[[], Result]
    results: list[Result] = field(default_factory=list)
    errors: list[BaseException] = field(default_factory=list)

    def run(self) -> None:
        try:
            self.results.append(self.work())
        except BaseException as error:  # noqa: BLE001 - raised again by who waits
            self.errors.append(error)


class Deadline:
    """Makes calls in a thread of their own, one at a time.

    A thread cannot be stopped: what hangs keeps its own, and nothing else is called
    before it has come back. Used by one thread.
    """

    def __init__(self, what: str) -> None:
        self._what = what
        self._thread: threading.Thread | None = None

    def call(self, work: Callable[[], Result], *, seconds: float) -> Result:
        """Return or raise what `work` does; raise `TimeoutError` after `seconds`."""
        if self._thread is not None and self._thread.is_alive():
            raise TimeoutError(f"{self._what} has not come back from an earlier call")
        call = _Call(work)
        context = copy_context()
        self._thread = threading.Thread(
            target=context.run,
            args=(call.run,),
            name=f"prs-alerting-{self._what.replace(' ', '-')}",
            daemon=True,
        )
        self._thread.start()
        self._thread.join(seconds)
        if self._thread.is_alive():
            raise TimeoutError(f"{self._what} took more than {seconds:g} s")
        if call.errors:
            raise call.errors[0]
        return call.results[0]
