"""Keep out of a request's span what its client says of itself, and may say anything in."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from prs_otel.instrumentation.redaction import REDACTED
from prs_otel.semconv import (
    CLIENT_ADDRESS,
    HTTP_REQUEST_METHOD_ORIGINAL,
    OLD_HTTP_PEER_ADDRESS,
    OLD_HTTP_USER_AGENT,
    USER_AGENT_ORIGINAL,
)

if TYPE_CHECKING:
    from opentelemetry.trace import Span

_PRODUCT: Final = re.compile(r"[A-Za-z][\w.-]{0,40}(/[\w.-]{1,20})?", re.ASCII)
_NUMBER: Final = re.compile(r"\d{9}")
_AGENTS: Final = (USER_AGENT_ORIGINAL, OLD_HTTP_USER_AGENT)
_ADDRESSES: Final = (CLIENT_ADDRESS, OLD_HTTP_PEER_ADDRESS)
_ADDRESS: Final = re.compile(r"[\da-fA-F.:]{2,45}")


@lru_cache(maxsize=256)
def product(agent: str) -> str:
    """Return which program a user agent names first, such as `curl/8.5.0`."""
    first = agent.split(" ", 1)[0]
    if not first:
        return first
    if _PRODUCT.fullmatch(first) is None or _NUMBER.search(first) is not None:
        return REDACTED
    return first


def describe_client(span: Span, meta: Mapping[str, Any]) -> None:
    """Say on a request's span no more of its client than a program's name and an address."""
    agent = meta.get("HTTP_USER_AGENT", "")
    name = product(agent)
    # One at a time: in every request, and the plural costs the SDK twice as much.
    if name != agent:
        attributes = getattr(span, "attributes", None) or {}
        for key in _AGENTS:
            if key in attributes:
                span.set_attribute(key, name)
    # A server that trusts its proxy takes the address from there, whatever it says.
    if "HTTP_X_FORWARDED_FOR" in meta:
        attributes = getattr(span, "attributes", None) or {}
        for key in _ADDRESSES:
            if not _ADDRESS.fullmatch(str(attributes.get(key, "::"))):
                span.set_attribute(key, REDACTED)


def describe_method(span: Span) -> None:
    """Say of a method that is none only that."""
    attributes = getattr(span, "attributes", None) or {}
    if HTTP_REQUEST_METHOD_ORIGINAL in attributes:
        span.set_attribute(HTTP_REQUEST_METHOD_ORIGINAL, REDACTED)
