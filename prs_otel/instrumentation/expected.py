"""Let the project say which of its repeated queries are meant to be."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any, Self, TypeVar, overload

from asgiref.sync import iscoroutinefunction

from prs_otel.instrumentation.measuring import EXPECTED, MEASURED, mode

if TYPE_CHECKING:
    from contextvars import Token
    from types import TracebackType

_Function = TypeVar("_Function", bound=Callable[..., Any])


class Expectation:
    """Expect the queries of a block or function. One may be entered again and again."""

    __slots__ = ("_tokens",)

    def __init__(self) -> None:
        self._tokens: list[Token[int]] = []

    def __enter__(self) -> Self:
        """Expect repeated queries from here on; what is not measured stays so."""
        found = mode.get()
        self._tokens.append(mode.set(EXPECTED if found == MEASURED else found))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Expect no more than before the block."""
        mode.reset(self._tokens.pop())

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
        """Return the function, synchronous or not, with its queries expected."""
        if iscoroutinefunction(function):

            @wraps(function)
            async def awaited(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - whatever it returns
                with Expectation():
                    return await function(*args, **kwargs)

            return awaited  # type: ignore[return-value]

        @wraps(function)
        def called(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - as above
            with Expectation():
                return function(*args, **kwargs)

        return called  # type: ignore[return-value]


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
