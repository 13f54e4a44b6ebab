"""The middleware of a project that wants to say where its requests are measured."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from asgiref.sync import iscoroutinefunction, markcoroutinefunction

from prs_otel.guard import guarded
from prs_otel.instrumentation import awaiting, django_instrumentor, requests
from prs_otel.instrumentation.blocks import is_in_request, request_work
from prs_otel.instrumentation.wrapping import NoWork, Work, wrapped
from prs_otel.observation import current_request

if TYPE_CHECKING:
    from django.http import HttpRequest
    from django.http.response import HttpResponseBase


class PerformanceMonitoringMiddleware:
    """Add user and organisation to a request that is measured, or measure it.

    Where OpenTelemetry's Django instrumentation is switched off it counts the requests
    that reach it; otherwise they are counted already, and it notes whose they are as seen
    from its place in `MIDDLEWARE`.
    """

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], Any]) -> None:
        self.get_response = get_response
        # Excluded URLs are not measured automatically, and not by this either.
        self._counts = not django_instrumentor.measures_new_handlers()
        self._counted = wrapped(get_response, _begun)
        self._is_async = iscoroutinefunction(get_response)
        if self._is_async:
            markcoroutinefunction(self)

    def __call__(
        self, request: HttpRequest
    ) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        """Respond to a request."""
        if self._is_to_count():
            if self._is_async:
                awaiting.note()
            counted: HttpResponseBase = self._counted(request)
            return counted
        if self._is_async:
            return self._respond(request)
        response: HttpResponseBase = self.get_response(request)
        _identify(request)
        return response

    async def _respond(self, request: HttpRequest) -> HttpResponseBase:
        response: HttpResponseBase = await self.get_response(request)
        _identify(request)
        return response

    def _is_to_count(self) -> bool:
        return self._counts and requests.hooks() is not None and not is_in_request()


def _begun(args: tuple[Any, ...], _: dict[str, Any]) -> Work:
    with guarded("manual.work"):
        return request_work(None, *args)
    return NoWork()


def _identify(request: HttpRequest) -> None:
    """Note whose request it is, while that is still known here."""
    hooks, context = requests.hooks(), current_request.get()
    if hooks is not None and context is not None and not context.is_finished:
        with guarded("manual.identify"):
            hooks.identify(context, request)
