"""Keep values out of what leaves the process with a request's span."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from opentelemetry.trace import Status, StatusCode

from prs_otel.database_errors import stack_of, type_name
from prs_otel.semconv import (
    OLD_HTTP_TARGET,
    OLD_HTTP_URL,
    URL_FULL,
    URL_PATH,
    URL_QUERY,
)

if TYPE_CHECKING:
    from opentelemetry.trace import Span

REDACTED: Final = "REDACTED"
_LENGTH_LIMIT: Final = 1_024  # characters of a query string that are kept, redacted
_IDENTIFIER_LIMIT: Final = 36  # characters, as of a UUID

# Signs of a mail address, of anything encoded or blank, of a card or an account number.
_DATA: Final = re.compile(r"[^\w./~:,+=;!()*-]|\d{9}")
_LONG: Final = re.compile(rf"[^/]{{{_IDENTIFIER_LIMIT + 1}}}")
_DIGIT: Final = re.compile(r"\d")
_PARAMETER: Final = re.compile(r"[A-Za-z_][\w.\[\]-]{0,63}", re.ASCII)


def query_string(query: str) -> str:
    """Return a query string with its names, but none of its values."""
    parts = query[:_LENGTH_LIMIT].split("&")
    return "&".join(_redacted(*part.partition("=")) for part in parts)


def path(path: str) -> str:
    """Return a path without those segments that look like somebody's data."""
    if not tells_values(path):
        return path
    return "/".join(
        REDACTED if _is_value(part) else part
        for part in path[:_LENGTH_LIMIT].split("/")
    )


def tells_values(path: str) -> bool:
    """Tell whether `path()` may have something to redact, which is seldom."""
    is_long = len(path) > _IDENTIFIER_LIMIT and _LONG.search(path) is not None
    return is_long or _DATA.search(path) is not None


def url(address: str) -> str:
    """Return a URL or path without values in its query string or segments."""
    before, question_mark, query = address.partition("?")
    redacted = path(before)
    return redacted + question_mark + query_string(query) if question_mark else redacted


def redacted_urls(attributes: Mapping[str, Any]) -> dict[str, str]:
    """Return those attributes that hold a path or a query string, redacted."""
    return {
        name: redact(attributes[name])
        for name, redact in _OF_URLS
        if isinstance(attributes.get(name), str)
    }


def record_without_message(span: Span, error: BaseException) -> None:
    """Record an exception by types and places, without what it or the code says."""
    name, stack = type_name(error), stack_of(error)
    span.add_event("exception", {"exception.type": name, "exception.stacktrace": stack})
    span.set_status(Status(StatusCode.ERROR, name))


_OF_URLS: Final = (
    (URL_PATH, path),
    (URL_QUERY, query_string),
    (URL_FULL, url),
    (OLD_HTTP_TARGET, url),
    (OLD_HTTP_URL, url),
)


def _is_value(segment: str) -> bool:
    # A long title made of words is no key.
    is_key = len(segment) > _IDENTIFIER_LIMIT and _DIGIT.search(segment) is not None
    return is_key or _DATA.search(segment) is not None


def _redacted(name: str, equals: str, _: str) -> str:
    # Without a name the whole part may be a value, and so may what is no name.
    if not equals:
        return REDACTED if name else ""
    is_name = not name or _PARAMETER.fullmatch(name)
    return f"{name if is_name else REDACTED}={REDACTED}"
