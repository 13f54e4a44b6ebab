"""Keep values out of what leaves the process with a request's span."""

from __future__ import annotations

import traceback
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from opentelemetry.trace import Status, StatusCode

from prs_otel.semconv import OLD_HTTP_TARGET, OLD_HTTP_URL, URL_FULL, URL_QUERY

if TYPE_CHECKING:
    from opentelemetry.trace import Span

REDACTED: Final = "REDACTED"
_LENGTH_LIMIT: Final = 1_024  # characters of a query string that are kept, redacted
_CHAIN_LIMIT: Final = 20  # exceptions that one may be caused by

# PEP 249 gives every driver's exceptions these bases, and Django's are named alike.
_DATABASE_ERRORS: Final = frozenset(("DatabaseError", "InterfaceError"))


def query_string(query: str) -> str:
    """Return a query string with its names, but none of its values."""
    parts = query[:_LENGTH_LIMIT].split("&")
    return "&".join(_redacted(*part.partition("=")) for part in parts)


def url(address: str) -> str:
    """Return a URL or path with the values of its query string redacted."""
    before, question_mark, query = address.partition("?")
    return before + question_mark + query_string(query) if question_mark else before


def redacted_urls(attributes: Mapping[str, Any]) -> dict[str, str]:
    """Return those attributes that hold a query string, redacted."""
    return {
        name: redact(attributes[name])
        for name, redact in _WITH_QUERY
        if isinstance(attributes.get(name), str)
    }


def quotes_values(error: BaseException) -> bool:
    """Tell whether an exception is, or comes of, a database's, which quote the data."""
    return any(
        base.__name__ in _DATABASE_ERRORS
        for link in _chain(error)
        for base in type(link).__mro__
    )


def record_without_message(span: Span, error: BaseException) -> None:
    """Record an exception by types and places, without what it or the code says."""
    stack = "".join(
        f"{_type_name(link)}\n{''.join(_places(link))}" for link in _chain(error)
    )
    name = _type_name(error)
    span.add_event("exception", {"exception.type": name, "exception.stacktrace": stack})
    span.set_status(Status(StatusCode.ERROR, name))


def _places(error: BaseException) -> Iterator[str]:
    # No source lines, as a traceback has: SQL with its literals may stand in them.
    for frame, line in traceback.walk_tb(error.__traceback__):
        code = frame.f_code
        yield f'  File "{code.co_filename}", line {line}, in {code.co_qualname}\n'


_WITH_QUERY: Final = (
    (URL_QUERY, query_string),
    (URL_FULL, url),
    (OLD_HTTP_TARGET, url),
    (OLD_HTTP_URL, url),
)


def _redacted(name: str, equals: str, _: str) -> str:
    # Without a name the whole part may be a value.
    return f"{name}={REDACTED}" if equals else (REDACTED if name else "")


def _chain(error: BaseException) -> Iterator[BaseException]:
    link: BaseException | None = error
    for _ in range(_CHAIN_LIMIT):
        if link is None:
            return
        yield link
        link = link.__cause__ or link.__context__


def _type_name(error: BaseException) -> str:
    kind = type(error)
    return f"{kind.__module__}.{kind.__qualname__}".removeprefix("builtins.")
