"""Measure requests through OpenTelemetry's own Django instrumentation and its hooks."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.core.handlers.asgi import ASGIRequest
from django.core.signals import got_request_exception

from prs_otel import conf, guard
from prs_otel.instrumentation import (
    call_site,
    django_instrumentor,
    identity,
    n_plus_one,
)
from prs_otel.instrumentation.client import describe_client, describe_method
from prs_otel.instrumentation.request_span import (
    describe,
    describe_url,
    is_url_to_describe,
)
from prs_otel.instrumentation.routes import resolved_route
from prs_otel.instrumentation.streaming import Stream, follow
from prs_otel.observation import (
    Observation,
    RequestContext,
    Thresholds,
    current_request,
    known_method,
)
from prs_otel.request_context import OTHER_METHOD
from prs_otel.semconv import PRS_TENANT_FAILURES

if TYPE_CHECKING:
    from django.http import HttpRequest
    from django.http.response import HttpResponseBase
    from opentelemetry.trace import Span

    from prs_otel.instrumentation.identity import TenantResolver


@dataclass(frozen=True, slots=True)
class Hooks:
    """What is asked of each request at its start and its end."""

    record: Callable[[Observation], object]
    thresholds: Callable[[], Thresholds]
    tenant: TenantResolver | None
    count: Callable[[str, tuple[str, ...], int], object]

    def request(self, span: Span, request: HttpRequest) -> None:
        """Note the method, and say URL and client without what may be somebody's data."""
        context = current_request.get()
        method = known_method(request.method)
        if context is not None:
            context.method = method
            context.keeps_outcomes = (
                self.tenant is not None and conf.current().track_organizations
            )
        if is_url_to_describe(request):
            describe_url(span, request)
        describe_client(span, request.META)
        if method == OTHER_METHOD:
            describe_method(span)

    def response(
        self, span: Span, request: HttpRequest, response: HttpResponseBase
    ) -> None:
        """Note what only the end of a request tells, and put it on its span."""
        context = current_request.get()
        if context is None or context.is_finished:
            return
        context.status_code = response.status_code
        if context.route is None:
            context.route = resolved_route(request)
        self.identify(context, request)
        describe(span, context)
        if response.streaming:
            context.is_streaming = True
            stream = Stream(context, conclude=self.conclude, record=self.record)
            follow(response, stream, is_async=isinstance(request, ASGIRequest))
        else:
            self.conclude(context)

    def identify(self, context: RequestContext, request: HttpRequest) -> None:
        """Note whose request it is; what was noted before, nearer to the view, stays."""
        if context.user_id is None and conf.current().track_users:
            context.user_id = identity.user_id(request)
        if self.tenant is None or context.organization_id is not None:
            return
        if conf.current().track_organizations:
            context.organization_id = identity.tenant_id(
                request, self.tenant, self._count_failure
            )

    def conclude(self, context: RequestContext) -> int:
        """Look for repeated queries; return how many nanoseconds make a request slow."""
        thresholds = self.thresholds()
        n_plus_one.conclude(context, thresholds)
        return thresholds.slow_request

    def _count_failure(self) -> None:
        self.count(PRS_TENANT_FAILURES, (), 1)


_hooks: Hooks | None = None


def instrument(
    *,
    record: Callable[[Observation], object],
    thresholds: Callable[[], Thresholds],
    count: Callable[[str, tuple[str, ...], int], object],
    tenant: TenantResolver | None = None,
) -> None:
    """Trace the requests of the handlers that are built from now on.

    `record` is told of streamed requests only; the others come through the span
    processor. `tenant(request)` names the organisation. Calling again replaces the
    arguments.
    """
    global _hooks
    is_first = _hooks is None
    _hooks = Hooks(record, thresholds, tenant, count)
    if is_first:
        django_instrumentor.install(_on_request, _on_response)
        got_request_exception.connect(_on_exception, dispatch_uid=__name__)


def hooks() -> Hooks | None:
    """Return what is asked of requests, `None` while nothing is measured."""
    return _hooks


def retrace() -> None:
    """Trace requests, from now on, by the tracer provider that is set now."""
    django_instrumentor.retrace()


def uninstrument() -> None:
    """Leave Django as it was, for handlers built from now on."""
    global _hooks
    if _hooks is not None:
        _hooks = None
        django_instrumentor.remove()
        got_request_exception.disconnect(dispatch_uid=__name__)


def _on_request(span: Span, request: HttpRequest) -> None:
    try:
        if _hooks is not None:
            _hooks.request(span, request)
    except Exception:  # noqa: BLE001 - the guard logs and counts it
        guard.failed("requests.request_hook")


def _on_response(span: Span, request: HttpRequest, response: HttpResponseBase) -> None:
    try:
        if _hooks is not None:
            _hooks.response(span, request, response)
    except Exception:  # noqa: BLE001 - the guard logs and counts it
        guard.failed("requests.response_hook")


def _on_exception(**_: object) -> None:
    """Note where the exception that nobody handled was raised."""
    try:
        context, error = current_request.get(), sys.exception()
        if context is not None and error is not None:
            context.failed_at = call_site.of_error(error)
    except Exception:  # noqa: BLE001 - the guard logs and counts it
        guard.failed("requests.got_request_exception")
