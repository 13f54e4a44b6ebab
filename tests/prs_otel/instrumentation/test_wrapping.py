from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncGenerator, Callable, Generator, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import pytest
from asgiref.sync import iscoroutinefunction, markcoroutinefunction

from prs_otel.instrumentation.wrapping import wrapped


class Log:
    """Work that notes what it was told, and whether it surrounds what runs now."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.is_within = False

    @contextmanager
    def step(self) -> Iterator[None]:
        self.lines.append("step")
        self.is_within = True
        try:
            yield
        finally:
            self.is_within = False

    def end(self, failure: BaseException | None, result: object = None) -> None:
        self.lines.append(f"end {result!r}" if failure is None else f"end {failure!r}")


@pytest.fixture
def log() -> Log:
    return Log()


def wrap(function: Any, log: Log) -> Any:
    return wrapped(function, lambda *_: log)


async def work(number: int = 1) -> int:
    await asyncio.sleep(0)
    return number


# --- Functions and coroutines ---------------------------------------------------------


def test_a_call_is_one_step_and_ends_with_its_result(log: Log) -> None:
    assert wrap(lambda: log.is_within, log)() is True
    assert log.lines == ["step", "end True"]


def test_a_coroutine_is_one_step_until_it_is_done(log: Log) -> None:
    assert asyncio.run(wrap(work, log)(7)) == 7
    assert log.lines == ["step", "end 7"]


@pytest.mark.parametrize(
    "function", [lambda: work(7), partial(work, 7)], ids=["lambda", "partial"]
)
def test_a_coroutine_that_a_function_returns_belongs_to_its_call(
    log: Log, function: Callable[[], Any]
) -> None:
    found = wrap(function, log)()

    assert inspect.iscoroutine(found)
    assert asyncio.run(found) == 7
    assert log.lines[-1] == "end 7"


def test_what_is_marked_as_a_coroutine_function_stays_one(log: Log) -> None:
    def call() -> Any:
        return work(7)

    marked = wrap(markcoroutinefunction(call), log)

    assert iscoroutinefunction(marked)
    assert asyncio.run(marked()) == 7
    assert log.lines == ["step", "end 7"]


def test_an_exception_passes_unchanged(log: Log) -> None:
    error = ValueError("no")

    def fail() -> None:
        raise error

    async def afail() -> None:
        fail()

    with pytest.raises(ValueError, match="no") as caught:
        wrap(fail, log)()
    assert caught.value is error
    with pytest.raises(ValueError, match="no") as caught:
        asyncio.run(wrap(afail, log)())
    assert caught.value is error
    assert log.lines == ["step", "end ValueError('no')"] * 2


def test_wrong_arguments_are_the_callers_mistake_as_before(log: Log) -> None:
    with pytest.raises(TypeError, match="unexpected keyword argument 'x'"):
        asyncio.run(wrap(work, log)(x=1))

    assert log.lines[0] == "step"
    assert log.lines[-1].startswith("end TypeError")


# --- Methods --------------------------------------------------------------------------


def test_class_and_static_methods_stay_what_they_are(log: Log) -> None:
    class Service:
        of_class = wrap(classmethod(lambda cls, number: (cls, number)), log)
        static = wrap(staticmethod(lambda number: number), log)

    for whose in (Service, Service()):
        assert whose.of_class(1) == (Service, 1)
        assert whose.static(2) == 2
    assert log.lines.count("step") == 4


# --- Generators -----------------------------------------------------------------------


def echo(log: Log) -> Generator[Any, Any, str]:
    """Yield what is sent or thrown in; tell where it runs."""
    found: Any = log.is_within
    while found != "stop":
        try:
            found = yield found
        except LookupError as error:
            found = error
        assert log.is_within
    return "done"


async def aecho(log: Log) -> AsyncGenerator[Any, Any]:
    found: Any = log.is_within
    while found != "stop":
        try:
            found = yield found
        except LookupError as error:
            found = error
        await asyncio.sleep(0)
        assert log.is_within


def test_a_generator_is_one_step_an_item_and_takes_what_it_is_sent(log: Log) -> None:
    echoing = wrap(echo, log)
    assert inspect.isgeneratorfunction(echoing)
    generator = echoing(log)
    assert log.lines == []

    assert next(generator) is True
    assert not log.is_within
    assert generator.send("sent") == "sent"
    error = LookupError()
    assert generator.throw(error) is error
    with pytest.raises(StopIteration) as stopped:
        generator.send("stop")

    assert stopped.value.value == "done"
    assert log.lines == ["step"] * 4 + ["end 'done'"]


def test_an_asynchronous_generator_is_one_step_an_item_too(log: Log) -> None:
    echoing = wrap(aecho, log)
    assert inspect.isasyncgenfunction(echoing)

    async def ask() -> None:
        generator = echoing(log)
        assert await anext(generator) is True
        assert not log.is_within
        assert await generator.asend("sent") == "sent"
        error = LookupError()
        assert await generator.athrow(error) is error
        with pytest.raises(StopAsyncIteration):
            await generator.asend("stop")

    asyncio.run(ask())
    assert log.lines == ["step"] * 4 + ["end None"]


def test_a_generator_that_is_left_early_is_closed_and_no_failure(log: Log) -> None:
    closed: list[str] = []

    def items() -> Iterator[int]:
        try:
            yield from range(10)
        finally:
            closed.append("plain")

    async def aitems() -> AsyncGenerator[int]:
        try:
            for number in range(10):
                yield number
        finally:
            closed.append("async")

    async def ask() -> None:
        generator = wrap(aitems, log)()
        await anext(generator)
        await generator.aclose()

    generator = wrap(items, log)()
    next(generator)
    generator.close()
    asyncio.run(ask())

    assert closed == ["plain", "async"]
    assert log.lines == ["step", "step", "end None"] * 2


def test_what_a_generator_raises_passes_unchanged(log: Log) -> None:
    error = ValueError("no")

    def fail() -> Iterator[int]:
        yield 1
        raise error

    async def afail() -> AsyncGenerator[int]:
        yield 1
        raise error

    async def ask() -> list[int]:
        return [item async for item in wrap(afail, log)()]

    with pytest.raises(ValueError, match="no") as caught:
        list(wrap(fail, log)())
    assert caught.value is error
    with pytest.raises(ValueError, match="no") as caught:
        asyncio.run(ask())
    assert caught.value is error
    assert log.lines == ["step", "step", "end ValueError('no')"] * 2
