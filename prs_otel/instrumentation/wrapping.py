"""Do work of ours around every step of a function, and leave it the kind it is.

A function and a coroutine take one step. A generator, asynchronous or not, takes one for
each item it is asked for: between them the code that runs is not its own.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from contextlib import AbstractContextManager, nullcontext
from functools import wraps
from inspect import isasyncgenfunction, isgeneratorfunction
from types import CoroutineType
from typing import TYPE_CHECKING, Any, Protocol, Self, TypeVar, cast

from asgiref.sync import iscoroutinefunction

if TYPE_CHECKING:
    from types import TracebackType

_Function = TypeVar("_Function", bound=Callable[..., Any])


class Work(Protocol):
    """What is done around one call of a function. No method may raise."""

    def step(self) -> AbstractContextManager[object]:
        """Surround what the function does until it waits for its caller, or is done."""

    def end(self, failure: BaseException | None, result: object = None) -> None:
        """Note how the function ended. Called once."""


Begin = Callable[[tuple[Any, ...], dict[str, Any]], Work]
"""Begin the work around a call with these arguments. May not raise."""


class NoWork:
    """Nothing to do around a call."""

    __slots__ = ()

    def step(self) -> AbstractContextManager[object]:
        """Surround a step by nothing."""
        return nullcontext()

    def end(self, failure: BaseException | None, result: object = None) -> None:
        """Note nothing."""


def wrapped(function: _Function, begin: Begin) -> _Function:
    """Return a function of the same kind and signature, with work around every call.

    A class or static method may be given as such. What is raised passes unchanged. A
    coroutine that a plain function returns, as the `dispatch` of an asynchronous view
    does, belongs to its call.
    """
    if isinstance(function, classmethod | staticmethod):
        method: Any = type(function)
        return cast("_Function", method(wrapped(function.__func__, begin)))
    if iscoroutinefunction(function):
        make: Callable[[_Function, Begin], Callable[..., Any]] = _coroutine_function
    elif isgeneratorfunction(function):
        make = _generator_function
    elif isasyncgenfunction(function):
        make = _async_generator_function
    else:
        make = _plain_function
    return cast("_Function", wraps(function)(make(function, begin)))


class _Ending:
    """End the work with the block, by what the block has raised or set as its `result`."""

    __slots__ = ("_pardoned", "_work", "result")

    def __init__(
        self, work: Work, *, pardoned: tuple[type[BaseException], ...] = ()
    ) -> None:
        self._work, self._pardoned = work, pardoned
        self.result: object = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        failure = None if isinstance(error, self._pardoned) else error
        self._work.end(failure, self.result)


def _plain_function(function: Callable[..., Any], begin: Begin) -> Callable[..., Any]:
    def called(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - whatever it returns
        work = begin(args, kwargs)
        try:
            with work.step():
                result = function(*args, **kwargs)
        except BaseException as error:
            work.end(error)
            raise
        if type(result) is CoroutineType:  # asks no lazy object
            return _awaited(lambda: result, work)
        work.end(None, result)
        return result

    return called


def _coroutine_function(
    function: Callable[..., Any], begin: Begin
) -> Callable[..., Any]:
    async def called(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - as above
        return await _awaited(lambda: function(*args, **kwargs), begin(args, kwargs))

    return called


async def _awaited(call: Callable[[], Awaitable[Any]], work: Work) -> Any:  # noqa: ANN401 - as above
    with _Ending(work) as ending:
        with work.step():
            result = await call()
        ending.result = result
    return result


def _generator_function(
    function: Callable[..., Any], begin: Begin
) -> Callable[..., Any]:
    def generated(*args: object, **kwargs: object) -> Generator[Any, Any, Any]:
        work = begin(args, kwargs)
        # Whoever asks for the items may want no more.
        with _Ending(work, pardoned=(GeneratorExit,)) as ending:
            result = yield from _stepped(function(*args, **kwargs), work)
            ending.result = result
        return result

    return generated


def _stepped(
    generator: Generator[Any, Any, Any], work: Work
) -> Generator[Any, Any, Any]:
    """Do what `yield from generator` does, with each step surrounded."""
    take, given = generator.send, None
    while True:
        try:
            with work.step():
                item = take(given)
        except StopIteration as stop:
            return stop.value
        try:
            given = yield item
            take = generator.send
        except GeneratorExit:
            with work.step():
                generator.close()
            raise
        except BaseException as error:  # noqa: BLE001 - thrown in for the generator
            take, given = generator.throw, error


def _async_generator_function(
    function: Callable[..., Any], begin: Begin
) -> Callable[..., Any]:
    async def generated(*args: object, **kwargs: object) -> AsyncGenerator[Any, Any]:
        work = begin(args, kwargs)
        with _Ending(work, pardoned=(GeneratorExit,)):
            generator = function(*args, **kwargs)
            take, given = generator.asend, None
            while True:
                try:
                    with work.step():
                        item = await take(given)
                except StopAsyncIteration:
                    return
                try:
                    given = yield item
                    take = generator.asend
                except GeneratorExit:
                    with work.step():
                        await generator.aclose()
                    raise
                except BaseException as error:  # noqa: BLE001 - as above
                    take, given = generator.athrow, error

    return generated
