"""OpenTelemetry's Django middleware, made safe to put in front of any application.

The stock middleware works in threads only, so that an ASGI server pays two thread
switches per request; never ends the span of a request that is cancelled; refuses a
request whose host is not allowed even if the application never asks for the host; and
copies the messages of database exceptions, which quote the data.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Final

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.core.exceptions import SuspiciousOperation
from opentelemetry.context import detach
from opentelemetry.instrumentation.django.middleware.otel_middleware import (
    _DjangoMiddleware,
)

from prs_otel import guard
from prs_otel.database_errors import quotes_values
from prs_otel.instrumentation import awaiting, redaction
from prs_otel.instrumentation.request_span import describe, request_span_name
from prs_otel.instrumentation.routes import resolved_route
from prs_otel.observation import current_request, known_method
from prs_otel.semconv import ERROR_TYPE

if TYPE_CHECKING:
    from django.http import HttpRequest
    from django.http.response import HttpResponseBase

STOCK: Final = f"{_DjangoMiddleware.__module__}.{_DjangoMiddleware.__qualname__}"
PATH: Final = f"{__name__}.RequestMiddleware"

_SERVER_ERROR: Final = 500
_Respond = Callable[["HttpRequest"], Any]


class RequestMiddleware(_DjangoMiddleware):
    """Trace a request on a thread or on an event loop, whichever serves it."""

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: _Respond) -> None:
        super().__init__(get_response)  # type: ignore[no-untyped-call]
        self._is_async = iscoroutinefunction(get_response)
        self._excludes = bool(getattr(self._excluded_urls, "_excluded_urls", True))
        if self._is_async:
            markcoroutinefunction(self)
            # Django would send the synchronous method to a thread.
            self.process_view = self._aprocess_view  # type: ignore[assignment,method-assign]

    def __call__(
        self, request: HttpRequest
    ) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        """Respond to a request within its span."""
        if self._is_async:
            return self._respond(request)
        self.process_request(request)
        try:
            response = self.get_response(request)
        except BaseException as error:
            self._abandon(request, error)
            raise
        return self.process_response(request, response)

    async def _respond(self, request: HttpRequest) -> HttpResponseBase:
        self.process_request(request)
        awaiting.note()
        response: Awaitable[HttpResponseBase] = self.get_response(request)
        try:
            answer = await response
        except BaseException as error:
            self._abandon(request, error)
            raise
        return self.process_response(request, answer)

    def process_request(self, request: HttpRequest) -> None:
        """Start the request's span."""
        with guard.guarded("requests.start"), _FixedUri(request, self._uri(request)):
            super().process_request(request)  # type: ignore[no-untyped-call]

    @staticmethod
    def _get_span_name(request: HttpRequest) -> str:
        """Return a name to begin with: the stock one would cost a second URL lookup."""
        return request_span_name(known_method(request.method), None)

    def process_view(self, request: HttpRequest, *_: object, **__: object) -> None:
        """Note which route was resolved."""
        _note_route(request)

    async def _aprocess_view(
        self, request: HttpRequest, *_: object, **__: object
    ) -> None:
        _note_route(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> None:
        """Note what a view raised."""
        if self._environ_activation_key in request.META:
            request.META[self._environ_exception_key] = exception

    def process_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        """End the request's span."""
        with guard.guarded("requests.end"):
            self._note_exception(request, response)
            with _FixedUri(request, self._uri(request)):
                super().process_response(request, response)  # type: ignore[no-untyped-call]
        return response

    def _note_exception(self, request: HttpRequest, response: HttpResponseBase) -> None:
        """Keep the stock middleware from what it would say about an exception.

        It takes a raised `Http404` for a failure, and copies messages.
        """
        error = request.META.get(self._environ_exception_key)
        if error is None:
            return
        is_failure = response.status_code >= _SERVER_ERROR
        if is_failure and not quotes_values(error):
            return
        del request.META[self._environ_exception_key]
        if is_failure:
            span = request.META[self._environ_span_key]
            redaction.record_without_message(span, error)

    def _abandon(self, request: HttpRequest, error: BaseException) -> None:
        """End the span of a request that gets no response: its client left."""
        with guard.guarded("requests.abandon"):
            activation = request.META.pop(self._environ_activation_key, None)
            span = request.META.pop(self._environ_span_key, None)
            token = request.META.pop(self._environ_token, None)
            if activation is not None and span is not None:
                context = current_request.get()
                if context is not None:
                    describe(span, context)
                span.set_attribute(ERROR_TYPE, type(error).__qualname__)
                activation.__exit__(None, None, None)
            if token is not None:
                detach(token)

    def _uri(self, request: HttpRequest) -> str:
        """Return what excluded URLs are compared with, "" when none is excluded."""
        if not self._excludes:
            return ""
        try:
            return request.build_absolute_uri("?")
        except SuspiciousOperation:
            # Whether the host matters is for the application to decide.
            return f"{request.scheme}://{request.path}"


def _note_route(request: HttpRequest) -> None:
    context = current_request.get()
    if context is not None:
        context.route = resolved_route(request)


class _FixedUri:
    """Answer `request.build_absolute_uri("?")` without asking for the host.

    The stock middleware asks up to four times per request, and gets an exception when
    the host is not allowed.
    """

    __slots__ = ("_request", "_uri")

    def __init__(self, request: HttpRequest, uri: str) -> None:
        self._request, self._uri = request, uri

    def __enter__(self) -> None:
        vars(self._request)["build_absolute_uri"] = self._build

    def __exit__(self, *_: object) -> None:
        vars(self._request).pop("build_absolute_uri", None)

    def _build(self, location: str | None = None) -> str:
        request = self._request
        if location == "?":
            return self._uri
        return type(request).build_absolute_uri(request, location)
