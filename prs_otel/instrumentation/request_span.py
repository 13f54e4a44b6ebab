"""Say on a request's span what has been found out about the request."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from prs_otel.instrumentation import redaction
from prs_otel.request_context import OTHER_METHOD
from prs_otel.semconv import (
    HTTP_ROUTE,
    PRS_QUERY_COUNT,
    PRS_TENANT_ID,
    URL_PATH,
    URL_QUERY,
    URL_SCHEME,
    USER_ID,
)

if TYPE_CHECKING:
    from django.http import HttpRequest
    from opentelemetry.trace import Span

    from prs_otel.observation import RequestContext


def is_url_to_describe(request: HttpRequest) -> bool:
    """Tell whether the span may say too much of the URL, or too little."""
    meta = request.META
    return bool(
        meta.get("QUERY_STRING")
        or "RAW_URI" not in meta
        or redaction.tells_values(request.path)
    )


def describe_url(span: Span, request: HttpRequest) -> None:
    """Say the URL in the conventions the span is in, without values in path and query."""
    attributes = getattr(span, "attributes", None) or {}
    redacted = redaction.redacted_urls(attributes)
    if URL_SCHEME in attributes and URL_PATH not in attributes:
        # The stock middleware finds none on servers that do not pass on the raw one.
        redacted[URL_PATH] = redaction.path(request.path)
        query = request.META.get("QUERY_STRING")
        if query:
            redacted[URL_QUERY] = redaction.query_string(query)
    span.set_attributes(redacted)


def describe(span: Span, context: RequestContext) -> None:
    """Name the span by method and route, and add whose the request is."""
    attributes: dict[str, Any] = {PRS_QUERY_COUNT: context.query_count}
    if context.route is not None:
        attributes[HTTP_ROUTE] = context.route
    if context.user_id is not None:
        attributes[USER_ID] = context.user_id
    if context.organization_id is not None:
        attributes[PRS_TENANT_ID] = context.organization_id
    span.set_attributes(attributes)
    span.update_name(request_span_name(context.method, context.route))


@lru_cache(maxsize=4096)
def request_span_name(method: str, route: str | None) -> str:
    """Return the name of a request's span, as the semantic conventions form it."""
    verb = "HTTP" if method == OTHER_METHOD else method
    return verb if route is None else f"{verb} {route}"
