"""Let the project say which of its repeated queries are meant to be."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Final, Self, TypeVar, overload

from prs_otel.instrumentation.measuring import EXPECTED, MEASURED, mode
from prs_otel.instrumentation.wrapping import NoWork, wrapped

if TYPE_CHECKING:
    from types import TracebackType

_Function = TypeVar("_Function", bound=Callable[..., Any])


# What was taken how around the blocks that this code is in, the innermost last. Not in the
# block itself: one may be entered by many threads and tasks at the same time.
_around: ContextVar[tuple[int, ...]] = ContextVar("prs_otel_expecting", default=())


class Expectation:
    """Expect the queries of a block or function. One may be entered again and again.

    By any number of threads and tasks at the same time.
    """

    __slots__ = ()

    def __enter__(self) -> Self:
        """Expect repeated queries from here on; what is not measured stays so."""
        found = mode.get()
        _around.set((*_around.get(), found))
        mode.set(EXPECTED if found == MEASURED else found)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Expect no more than before the block."""
        around = _around.get()
        # A generator that has entered the block may be closed where that never happened.
        if around:
            _around.set(around[:-1])
            mode.set(around[-1])

    async def __aenter__(self) -> Self:
        """Do as `with` does."""
        return self.__enter__()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Do as `with` does."""
        self.__exit__(kind, error, trace)

    def __call__(self, function: _Function) -> _Function:
        """Return the function, of whatever kind, with its queries expected."""
        return wrapped(function, lambda *_: _EXPECTED)


class _Expected(NoWork):
    """Expect the queries of a function's steps."""

    __slots__ = ()

    def step(self) -> Expectation:
        """Expect those of one step."""
        return Expectation()


_EXPECTED: Final = _Expected()


@overload
def expected_queries() -> Expectation: ...
@overload
def expected_queries(function: _Function) -> _Function: ...
def expected_queries(function: _Function | None = None) -> Expectation | _Function:
    """Report no N+1 for the queries of the block; they count in every other figure.

    A context manager for `with` and `async with`, and a decorator, bare or called. It
    reaches the threads that `sync_to_async` uses, not those that the block starts itself.
    """
    return Expectation() if function is None else Expectation()(function)
