"""Ask a database that may never answer, and go on without it.

A server that is frozen or out of reach answers nothing, not even by an error, and no driver
gives up by itself. So what an evaluator asks is asked by a thread beside it, for which it waits
so long and no longer. What comes back later has happened all the same: every question bears to
be asked twice.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import wraps
from typing import Final, ParamSpec, TypeVar

from django.db import connections

__all__ = ["PATIENCE", "Asker", "NoAnswerError", "asked_by", "patient"]

PATIENCE: Final = 10.0
"""Seconds for which an answer is waited for."""
GIVEN_UP_AFTER: Final = 60.0
"""Seconds after which another thread, with connections of its own, takes over."""

P = ParamSpec("P")
T = TypeVar("T")
Around = Callable[[], AbstractContextManager[object]]
_Question = Callable[[], None]


class NoAnswerError(OSError):
    """The database has not answered in time."""


class Asker:
    """Asks in a thread of its own, inside `around()`. Used by one thread.

    While an answer is missing nothing more is asked, and at most one thread has been given up
    and not come back.
    """

    def __init__(
        self,
        name: str,
        *,
        around: Around = nullcontext,
        patience: float = PATIENCE,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._name = name
        self._around = around
        self._patience = patience
        self._clock = clock
        self._questions: queue.SimpleQueue[_Question | None] | None = None
        self._pending: Future[object] | None = None
        self._given_up: Future[object] | None = None
        self._asked_at = 0.0

    def ask(self, question: Callable[[], T]) -> T:
        """Return the answer; raise what `question` raises, or `NoAnswerError`."""
        self._take_over()
        answer: Future[T] = Future()
        self._pending, self._asked_at = answer, self._clock()  # type: ignore[assignment]
        self._thread().put(lambda: self._answer(question, answer))
        try:
            return answer.result(self._patience)
        except TimeoutError:
            if not answer.done():
                raise self._silence() from None
            return answer.result()

    def close(self) -> None:
        """End the thread, as soon as it has its answer; a later question begins another."""
        if self._questions is not None:
            self._questions.put(None)
            self._questions = None

    def _take_over(self) -> None:
        """Have a thread free for the next question, or raise `NoAnswerError`."""
        if self._pending is None or self._pending.done():
            return
        is_one_lost = self._given_up is not None and not self._given_up.done()
        if is_one_lost or self._clock() - self._asked_at < GIVEN_UP_AFTER:
            raise self._silence()
        self.close()
        self._given_up = self._pending

    def _silence(self) -> NoAnswerError:
        seconds = self._clock() - self._asked_at
        return NoAnswerError(f"the database has not answered for {seconds:.0f} s")

    def _thread(self) -> queue.SimpleQueue[_Question | None]:
        if self._questions is None:
            self._questions = queue.SimpleQueue()
            # A daemon: the interpreter must not wait for what may never come back.
            threading.Thread(
                target=_ask_all, args=(self._questions,), name=self._name, daemon=True
            ).start()
        return self._questions

    def _answer(self, question: Callable[[], T], answer: Future[T]) -> None:
        try:
            with self._around():
                result = question()
        except BaseException as error:  # noqa: BLE001 - raised again by who asked
            answer.set_exception(error)
        else:
            answer.set_result(result)


def _ask_all(questions: queue.SimpleQueue[_Question | None]) -> None:
    while (question := questions.get()) is not None:
        question()
    connections.close_all()


class _Current(threading.local):
    asker: Asker | None = None


_current = _Current()


@contextmanager
def asked_by(asker: Asker) -> Iterator[None]:
    """Have what this thread asks of a database, in functions that are `patient`, asked so."""
    before, _current.asker = _current.asker, asker
    try:
        yield
    finally:
        _current.asker = before


def patient(function: Callable[P, T]) -> Callable[P, T]:
    """Return the function, called by the thread's `Asker` where it has one.

    What it returns must be complete: rows that are read later would be read elsewhere.
    """

    @wraps(function)
    def asked(*args: P.args, **kwargs: P.kwargs) -> T:
        asker = _current.asker
        if asker is None:
            return function(*args, **kwargs)
        return asker.ask(lambda: function(*args, **kwargs))

    return asked
