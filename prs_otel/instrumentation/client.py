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
    is_long = product(agent) != agent
    # A server that trusts its proxy takes the address from there, whatever it says.
    is_forwarded = "HTTP_X_FORWARDED_FOR" in meta
    if is_long or is_forwarded:
        attributes = getattr(span, "attributes", None) or {}
        told: dict[str, str] = {}
        if is_long:
            told |= {name: product(agent) for name in _AGENTS if name in attributes}
        if is_forwarded:
            told |= {
                name: REDACTED
                for name in _ADDRESSES
                if not _ADDRESS.fullmatch(str(attributes.get(name, "::")))
            }
        span.set_attributes(told)


def describe_method(span: Span) -> None:
    """Say of a method that is none only that."""
    attributes = getattr(span, "attributes", None) or {}
    if HTTP_REQUEST_METHOD_ORIGINAL in attributes:
        span.set_attribute(HTTP_REQUEST_METHOD_ORIGINAL, REDACTED)
