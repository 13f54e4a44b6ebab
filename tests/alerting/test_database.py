from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from django.db import OperationalError

from alerting.database import GIVEN_UP_AFTER, Asker, NoAnswerError, asked_by, patient
from alerting.history import DATABASE_ERRORS
from tests.support.clock import Clock
from tests.support.wait import wait_until

AT_ONCE = 0.01


@pytest.fixture
def clock() -> Clock:
    return Clock(1_000.0)


@pytest.fixture
def asker(clock: Clock) -> Iterator[Asker]:
    found = Asker("asker", patience=AT_ONCE, clock=clock)
    yield found
    found.close()


@pytest.fixture
def hanging() -> Iterator[Callable[[], str]]:
    """Give a question that is answered at the end of the test."""
    is_over = threading.Event()

    def ask() -> str:
        is_over.wait()
        return "late"

    yield ask
    is_over.set()


def given_up(asker: Asker, question: Callable[[], object]) -> None:
    with pytest.raises(NoAnswerError):
        asker.ask(question)


def test_an_answer_is_returned_and_a_failure_raised() -> None:
    asker = Asker("asker")

    def fail() -> None:
        raise OperationalError("gone")

    try:
        assert asker.ask(lambda: 7) == 7
        with pytest.raises(OperationalError, match="gone"):
            asker.ask(fail)
        assert asker.ask(threading.current_thread).name == "asker"
    finally:
        asker.close()


def test_one_thread_asks_everything_and_ends_when_told_to() -> None:
    asker = Asker("asker")

    first, second = (
        asker.ask(threading.current_thread),
        asker.ask(threading.current_thread),
    )
    asker.close()

    assert first is second
    first.join(5)
    assert not first.is_alive()


def test_a_question_that_times_out_by_itself_has_been_answered() -> None:
    asker = Asker("asker")

    def time_out() -> None:
        raise TimeoutError("of the question")

    try:
        with pytest.raises(TimeoutError, match="of the question"):
            asker.ask(time_out)
    finally:
        asker.close()


def test_no_answer_is_a_failure_of_the_database(
    asker: Asker, hanging: Callable[[], str]
) -> None:
    with pytest.raises(DATABASE_ERRORS, match="has not answered for 0 s"):
        asker.ask(hanging)


def test_while_an_answer_is_missing_nothing_else_is_asked(
    asker: Asker, clock: Clock, hanging: Callable[[], str]
) -> None:
    asked: list[int] = []
    given_up(asker, hanging)
    clock.advance(GIVEN_UP_AFTER - 1)

    with pytest.raises(NoAnswerError, match="has not answered for 59 s"):
        asker.ask(lambda: asked.append(1))

    assert asked == []


def test_a_late_answer_is_nobodys_and_the_same_thread_goes_on(clock: Clock) -> None:
    asker = Asker("asker", patience=AT_ONCE, clock=clock)
    may_end = threading.Event()
    threads: list[threading.Thread] = []

    def late() -> None:
        threads.append(threading.current_thread())
        may_end.wait()

    given_up(asker, late)
    may_end.set()

    def answered() -> threading.Thread | None:
        try:
            return asker.ask(threading.current_thread)
        except NoAnswerError:
            return None

    assert wait_until(answered) is threads[0]
    asker.close()


def test_what_never_comes_back_is_given_up_for_another_thread_but_once(
    asker: Asker, clock: Clock, hanging: Callable[[], str]
) -> None:
    given_up(asker, hanging)
    one = threading.active_count()
    clock.advance(GIVEN_UP_AFTER)
    given_up(asker, hanging)
    two = threading.active_count()
    clock.advance(10 * GIVEN_UP_AFTER)
    given_up(asker, hanging)

    assert (two, threading.active_count()) == (one + 1, one + 1)


def test_everything_is_asked_in_the_surroundings() -> None:
    entered: list[str] = []

    @contextmanager
    def around() -> Iterator[None]:
        entered.append(threading.current_thread().name)
        yield

    asker = Asker("asker", around=around)
    asker.ask(lambda: None)
    asker.close()

    assert entered == ["asker"]


def test_only_a_thread_that_has_an_asker_asks_by_it() -> None:
    @patient
    def who(prefix: str, *, suffix: str) -> str:
        # What it asks in turn is asked there and then.
        return prefix + nested() + suffix

    @patient
    def nested() -> str:
        return threading.current_thread().name

    here = threading.current_thread().name
    asker = Asker("asker")
    with asked_by(asker):
        assert who("<", suffix=">") == "<asker>"
    asker.close()

    assert who("<", suffix=">") == f"<{here}>"
