"""The two decorators: measure a function as a query or as a request.

Each works bare and with arguments, on functions, coroutine functions and generators of either
kind, and on methods above and below `@classmethod` and `@staticmethod`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar, cast, overload

from prs_otel.guard import guarded
from prs_otel.instrumentation.wrapping import NoWork, Work, wrapped
from prs_otel.manual import arguments, readiness

if TYPE_CHECKING:
    from django.http import HttpRequest

_Function = TypeVar("_Function", bound=Callable[..., Any])


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
        name = arguments.label("name", name)
    if query is not None:
        arguments.text("query", query, such_as="SELECT …")

    def decorate(decorated: _Function) -> _Function:
        label = name or _name(decorated)

        def begin() -> Work:
            from prs_otel.instrumentation.blocks import query_work

            return query_work(label, query=query)

        return wrapped(decorated, lambda *_: _begun(begin))

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
        name = arguments.label("name", name)
    route = None if endpoint is None else arguments.endpoint("endpoint", endpoint)

    def decorate(decorated: _Function) -> _Function:
        label = name or _name(decorated)

        def begin(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Work:
            from prs_otel.instrumentation.blocks import request_work

            request = _request_among((*args[:2], kwargs.get("request")))
            return request_work(label, request, endpoint=route)

        return wrapped(
            decorated, lambda args, kwargs: _begun(lambda: begin(args, kwargs))
        )

    return decorate if function is None else decorate(function)


def _begun(make: Callable[[], Work]) -> Work:
    """Begin to measure a call; where nothing is measured, or we fail, there is no work."""
    if readiness.is_measuring():
        with guarded("manual.work"):
            return make()
    return NoWork()


def _name(function: object) -> str:
    """Return where a function is found; raises `TypeError` for what is none."""
    if isinstance(function, classmethod | staticmethod):
        return _name(function.__func__)
    if isinstance(function, type) or not callable(function):
        raise TypeError(f"{function!r} cannot be decorated: pass a function or method")
    if isinstance(function, partial) and not hasattr(function, "__qualname__"):
        return _name(function.func)
    kind = type(function)
    module = getattr(function, "__module__", kind.__module__)
    return f"{module}.{getattr(function, '__qualname__', kind.__qualname__)}"


def _request_among(given: Iterable[object]) -> HttpRequest | None:
    """Return the request that a view is given, first, after `self` or by its name."""
    from django.http import HttpRequest

    for each in given:
        # Types and dictionaries are looked at: to ask a lazy object would evaluate it.
        if issubclass(type(each), HttpRequest):
            return cast("HttpRequest", each)
        # Django REST framework wraps it.
        inner = getattr(each, "__dict__", {}).get("_request")
        if issubclass(type(inner), HttpRequest):
            return cast("HttpRequest", inner)
    return None
