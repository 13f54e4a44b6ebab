"""The two decorators: measure a function as a query or as a request.

Each works bare and with arguments, on functions and coroutine functions.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar, overload

from asgiref.sync import iscoroutinefunction

from prs_otel.manual import arguments, readiness

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from django.http import HttpRequest

    from prs_otel.instrumentation.blocks import Answer

_Function = TypeVar("_Function", bound=Callable[..., Any])
_Measure = Callable[[tuple[Any, ...]], "AbstractContextManager[Answer]"]


@overload
def monitor_query_performance(function: _Function) -> _Function: ...
@overload
def monitor_query_performance(
    function: None = None, *, name: str | None = None, query: str | None = None
) -> Callable[[_Function], _Function]: ...
def monitor_query_performance(
    function: _Function | None = None,
    *,
    name: str | None = None,
    query: str | None = None,
) -> _Function | Callable[[_Function], _Function]:
    """Show what the function does as a span, and count it as a query if nothing else does.

    Something else does within a measured request, within another function decorated like
    this, and where Django runs a query in it. It is known by `query`, whose literals are
    hidden, or by `name`, by default its own. What it raises counts as an error and is raised.
    """
    if name is not None:
        arguments.text("name", name, such_as="nightly report")
    if query is not None:
        arguments.text("query", query, such_as="SELECT …")

    def decorate(decorated: _Function) -> _Function:
        label = name or _name(decorated)

        def measure(_: tuple[Any, ...]) -> AbstractContextManager[Answer]:
            from prs_otel.instrumentation.blocks import query_block

            return query_block(label, query=query)

        return _measured(decorated, measure)

    return decorate if function is None else decorate(function)


@overload
def monitor_api_performance(function: _Function) -> _Function: ...
@overload
def monitor_api_performance(
    function: None = None, *, name: str | None = None, endpoint: str | None = None
) -> Callable[[_Function], _Function]: ...
def monitor_api_performance(
    function: _Function | None = None,
    *,
    name: str | None = None,
    endpoint: str | None = None,
) -> _Function | Callable[[_Function], _Function]:
    """Count a call of the function as a request, or show it as a span within one.

    It is counted under `endpoint`, else the route of the request it is given, else `name`,
    by default its own. Its status is that of the response it returns, or 200; what it
    raises counts as Django would answer it, and is raised.
    """
    if name is not None:
        arguments.text("name", name, such_as="nightly report")
    route = None if endpoint is None else arguments.endpoint("endpoint", endpoint)

    def decorate(decorated: _Function) -> _Function:
        label = name or _name(decorated)

        def measure(given: tuple[Any, ...]) -> AbstractContextManager[Answer]:
            from prs_otel.instrumentation.blocks import request_block

            return request_block(label, _request_among(given), endpoint=route)

        return _measured(decorated, measure)

    return decorate if function is None else decorate(function)


def _measured(function: _Function, measure: _Measure) -> _Function:
    if iscoroutinefunction(function):

        @wraps(function)
        async def awaited(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - whatever it returns
            if not readiness.is_measuring():
                return await function(*args, **kwargs)
            with measure(args) as answer:
                answer.value = result = await function(*args, **kwargs)
            return result

        return awaited  # type: ignore[return-value]

    @wraps(function)
    def called(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - as above
        if not readiness.is_measuring():
            return function(*args, **kwargs)
        with measure(args) as answer:
            answer.value = result = function(*args, **kwargs)
        return result

    return called  # type: ignore[return-value]


def _name(function: object) -> str:
    """Return where a function is found; raises `TypeError` for what is none."""
    if isinstance(function, type) or not callable(function):
        raise TypeError(
            f"{function!r} cannot be decorated: pass a function, and below @classmethod"
        )
    kind = type(function)
    module = getattr(function, "__module__", kind.__module__)
    return f"{module}.{getattr(function, '__qualname__', kind.__qualname__)}"


def _request_among(given: tuple[Any, ...]) -> HttpRequest | None:
    """Return the request that a view is given, first or after `self`."""
    from django.http import HttpRequest

    for each in given[:2]:
        # Django REST framework wraps it.
        found = getattr(each, "_request", each)
        if isinstance(found, HttpRequest):
            return found
    return None
