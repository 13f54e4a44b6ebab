"""Measure a call of the application's own: as a query, as a request, or within one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeGuard

from django.core.exceptions import BadRequest, PermissionDenied, SuspiciousOperation
from django.http import Http404
from django.http.multipartparser import MultiPartParserError
from django.http.response import HttpResponseBase
from django.utils.functional import LazyObject
from opentelemetry import propagate, trace
from opentelemetry.trace import SpanKind

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
from prs_otel.instrumentation.shown import Shown, class_name
from prs_otel.observation import current_request, known_method
from prs_otel.request_context import RequestContext
from prs_otel.semconv import HTTP_REQUEST_METHOD, URL_SCHEME

if TYPE_CHECKING:
    from contextvars import ContextVar

    from django.http import HttpRequest
    from opentelemetry.context import Context
    from opentelemetry.trace import Span

    from prs_otel.instrumentation.wrapping import Work

# What Django makes of an exception that no view has caught.
_STATUS: Final[dict[type[BaseException], int]] = {
    Http404: 404,
    PermissionDenied: 403,
    MultiPartParserError: 400,
    BadRequest: 400,
    SuspiciousOperation: 400,
}
_OK: Final = 200
_UNNAMED: Final = "request"


def is_in_request() -> bool:
    """Tell whether the code that is running belongs to a request that is measured."""
    request = current_request.get()
    return request is not None and not request.is_finished and request.task is None


def query_work(name: str, *, query: str | None) -> Work:
    """Show a call as a span; count it as a query where nothing else measures its work.

    Something else does within a request, within another such call, and where the call
    runs queries that are measured.
    """
    return _Query(name, query)


def request_work(
    name: str | None, request: HttpRequest | None = None, *, endpoint: str | None = None
) -> Work:
    """Count a call as a request; within one that is measured, show it as a span.

    Its route is `endpoint`, else that of `request`, else `name`.
    """
    if is_in_request():
        return Shown(name or _UNNAMED)
    return _Request(name, request, endpoint)


class _Query(Shown):
    """A call that counts as a query if nothing within it does."""

    def __init__(self, name: str, query: str | None) -> None:
        super().__init__(name)
        self._name, self._query = name, query
        around = current_block.get()
        if around is not None and around.is_finished:
            around = None  # a task that outlives the call which has started it
        self._block = around or Block()
        self._is_outermost = around is None
        self._is_counted = around is None and not is_in_request()
        self._around = current_request.get()
        self._queries_before = self._queries_around()

    def current(self) -> tuple[ContextVar[Any], object]:
        return current_block, self._block

    def end(self, failure: BaseException | None, result: object = None) -> None:
        if self._is_outermost:
            self._block.is_finished = True
        has_queries = (
            self._block.has_queries or self._queries_around() > self._queries_before
        )
        if self._is_counted and not has_queries:
            query = RecordedQuery(
                text=self._name if self._query is None else self._query,
                duration=self.duration,
                failure=failure,
                is_function=self._query is None,
            )
            with guarded("manual.query"), self.step():
                record_query(query)
        super().end(failure)

    def _queries_around(self) -> int:
        """Return how many queries the task around has run, 0 outside of all."""
        return 0 if self._around is None else self._around.query_count


class _Request(Shown):
    """A call that counts as a request."""

    def __init__(
        self, name: str | None, request: HttpRequest | None, endpoint: str | None
    ) -> None:
        self._name, self._request = name, request
        self.duration = 0
        before = current_request.get()
        try:
            self.span = _server_span(request)
            begun = current_request.get()
        finally:
            current_request.set(before)
        self._context = RequestContext() if begun is None or begun is before else begun
        self._context.route = endpoint
        hooks = requests.hooks()
        if hooks is not None and request is not None:
            with self.step():
                hooks.request(self.span, request)

    def current(self) -> tuple[ContextVar[Any], object]:
        return current_request, self._context

    def end(self, failure: BaseException | None, result: object = None) -> None:
        context = self._context
        with self.step():
            with guarded("manual.request"):
                self._describe(failure, result)
            with guarded("manual.span"):
                self.span.end()
        if context.pending is not None:
            current_request.set(context)  # what a stream queries belongs to it
        block = current_block.get()
        if block is not None and context.query_count:
            block.has_queries = True

    def _describe(self, failure: BaseException | None, result: object) -> None:
        """Say what became of a request, by what Django would make of how the call ended."""
        hooks, context, request = requests.hooks(), self._context, self._request
        # A task that is cancelled has got no response, which is no failure.
        if hooks is None or not isinstance(failure, Exception | None):
            return
        self._note_status(failure, result)
        if request is not None:
            context.route = context.route or resolved_route(request)
        context.route = context.route or self._name
        if request is not None and _is_response(result):
            hooks.response(self.span, request, result)
            return
        if request is not None:
            hooks.identify(context, request)
        describe(self.span, context)
        hooks.conclude(context)

    def _note_status(self, failure: Exception | None, result: object) -> None:
        context = self._context
        if failure is None:
            context.status_code = _status(result)
            set_status(self.span, context.status_code)
            return
        found = (_STATUS[kind] for kind in _STATUS if isinstance(failure, kind))
        context.status_code = next(found, SERVER_ERROR)
        set_status(self.span, context.status_code, class_name(failure))
        if context.status_code >= SERVER_ERROR:
            context.failed_at = call_site.of_error(failure)


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


def _is_response(result: object) -> TypeGuard[HttpResponseBase]:
    return issubclass(type(result), HttpResponseBase)  # asks no lazy object


def _status(result: object) -> int:
    if issubclass(type(result), LazyObject):
        return _OK  # to ask it would evaluate it
    status = getattr(result, "status_code", _OK)
    is_status = isinstance(status, int) and 100 <= status <= 599
    return status if is_status else _OK
