"""Measure a block of the application's own: as a query, as a request, or within one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter_ns
from typing import TYPE_CHECKING, Any, Final

from django.core.exceptions import BadRequest, PermissionDenied
from django.http import Http404
from django.http.response import HttpResponseBase
from opentelemetry import propagate, trace
from opentelemetry.trace import SpanKind, Status, StatusCode

from prs_otel.guard import guarded
from prs_otel.instrumentation import call_site, requests
from prs_otel.instrumentation.measuring import Block, current_block
from prs_otel.instrumentation.recorded import (
    SERVER_ERROR,
    RecordedQuery,
    record_query,
    set_status,
    tracer,
)
from prs_otel.instrumentation.request_span import describe, request_span_name
from prs_otel.instrumentation.routes import resolved_route
from prs_otel.observation import current_request, known_method
from prs_otel.request_context import RequestContext
from prs_otel.semconv import ERROR_TYPE, HTTP_REQUEST_METHOD, URL_SCHEME

if TYPE_CHECKING:
    from django.http import HttpRequest
    from opentelemetry.context import Context
    from opentelemetry.trace import Span

# What Django makes of an exception that no view has caught.
_STATUS: Final[dict[type[BaseException], int]] = {
    Http404: 404,
    PermissionDenied: 403,
    BadRequest: 400,
}
_OK: Final = 200


class Answer:
    """What a measured block has returned; `None` until it has."""

    __slots__ = ("value",)

    def __init__(self) -> None:
        self.value: object = None


def is_in_request() -> bool:
    """Tell whether the code that is running belongs to a request that is measured."""
    request = current_request.get()
    return request is not None and not request.is_finished


@contextmanager
def query_block(name: str, *, query: str | None) -> Iterator[Answer]:
    """Show the block as a span; count it as a query where nothing else measures its work.

    Something else does within a request, within another such block, and where the block
    runs queries that are measured.
    """
    around = current_block.get()
    block = around or Block()
    is_counted = around is None and not is_in_request()
    token = current_block.set(block)
    clock = perf_counter_ns()
    failure: BaseException | None = None
    with _internal_span(name):
        try:
            yield Answer()
        except BaseException as error:
            failure = error
            raise
        finally:
            current_block.reset(token)
            if is_counted and not block.has_queries:
                with guarded("manual.query"):
                    record_query(
                        RecordedQuery(
                            text=name if query is None else query,
                            duration=perf_counter_ns() - clock,
                            failure=failure,
                            is_function=query is None,
                        )
                    )


@contextmanager
def request_block(
    name: str, request: HttpRequest | None = None, *, endpoint: str | None = None
) -> Iterator[Answer]:
    """Count the block as a request; within one that is measured, show it as a span."""
    answer = Answer()
    if is_in_request():
        with _internal_span(name):
            yield answer
        return
    before = current_request.get()
    span = _server_span(request)
    context = current_request.get() or RequestContext()
    context.route = endpoint
    failure: BaseException | None = None
    try:
        with guarded("manual.request"):
            _begin(span, context, request)
        with trace.use_span(
            span, record_exception=False, set_status_on_exception=False
        ):
            yield answer
    except BaseException as error:
        failure = error
        raise
    finally:
        with guarded("manual.request"):
            _end(span, context, request, name, failure or answer.value)
        span.end()
        _leave(context, before)


@contextmanager
def _internal_span(name: str) -> Iterator[Span]:
    span = tracer().start_span(name, kind=SpanKind.INTERNAL)
    try:
        with trace.use_span(
            span, record_exception=False, set_status_on_exception=False
        ):
            yield span
    except BaseException as error:
        span.set_attribute(ERROR_TYPE, _class_name(error))
        span.set_status(Status(StatusCode.ERROR))
        raise
    finally:
        span.end()


def _server_span(request: HttpRequest | None) -> Span:
    method = known_method(None if request is None else request.method)
    attributes: dict[str, Any] = {HTTP_REQUEST_METHOD: method}
    parent: Context | None = None
    if request is not None:
        attributes[URL_SCHEME] = request.scheme or "http"
        if not trace.get_current_span().get_span_context().is_valid:
            parent = propagate.extract(request.headers)
    return tracer().start_span(
        request_span_name(method, None),
        context=parent,
        kind=SpanKind.SERVER,
        attributes=attributes,
    )


def _begin(span: Span, context: RequestContext, request: HttpRequest | None) -> None:
    hooks = requests.hooks()
    if hooks is not None and request is not None:
        hooks.request(span, request)


def _end(
    span: Span,
    context: RequestContext,
    request: HttpRequest | None,
    name: str,
    result: object,
) -> None:
    """Say what became of a request, by what Django would make of the block's result."""
    hooks = requests.hooks()
    if hooks is None or _is_abandoned(result):
        return
    context.status_code = _status(result)
    error = result if isinstance(result, Exception) else None
    if error is not None and context.status_code >= SERVER_ERROR:
        context.failed_at = call_site.of_error(error)
    set_status(span, context.status_code, None if error is None else _class_name(error))
    if request is not None and isinstance(result, HttpResponseBase):
        hooks.response(span, request, result)
        return
    if request is not None:
        context.route = context.route or resolved_route(request)
        hooks.identify(context, request)
    if context.route is None:
        context.route = name
    describe(span, context)
    hooks.conclude(context)


def _leave(context: RequestContext, before: RequestContext | None) -> None:
    """Let what was current be so again, and tell it of the queries that were measured."""
    current_request.set(before)
    block = current_block.get()
    if block is not None and context.query_count:
        block.has_queries = True


def _status(result: object) -> int:
    if isinstance(result, BaseException):
        found = (_STATUS[kind] for kind in _STATUS if isinstance(result, kind))
        return next(found, SERVER_ERROR)
    status = getattr(result, "status_code", _OK)
    is_status = isinstance(status, int) and 100 <= status <= 599
    return status if is_status else _OK


def _is_abandoned(result: object) -> bool:
    # A task that is cancelled has got no response, which is no failure.
    return isinstance(result, BaseException) and not isinstance(result, Exception)


def _class_name(error: BaseException) -> str:
    kind = type(error)
    return f"{kind.__module__}.{kind.__qualname__}".removeprefix("builtins.")
