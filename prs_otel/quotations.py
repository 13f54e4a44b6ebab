"""Take out of a span that is ending what a database said in an exception: it quotes the data.

The SDK writes down an exception's message and its traceback, and so do instrumentations and
the application; by then only the text is left to tell what the exception was.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from opentelemetry.attributes import BoundedAttributes
from opentelemetry.trace import Status

from prs_otel.database_errors import is_named_like_one, is_type_of_one
from prs_otel.semconv import EXCEPTION_MESSAGE, EXCEPTION_STACKTRACE, EXCEPTION_TYPE

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import Event, Span

_EXCEPTION: Final = "exception"  # the name of its event

# In a traceback: the place of a call, what one exception has to do with another, and, where a
# line begins, the class of one. Groups of exceptions are drawn as a tree.
_PLACE: Final = re.compile(r'[ |]*File "[^"]*", line \d+, in [\w.<>]+')
_LINK: Final = re.compile(
    r"[ |+\-]*((Exception Group )?Traceback \(most recent call last\)|"
    r"The above exception was the direct cause of the following exception|"
    r"During handling of the above exception, another exception occurred):"
)
_CLASS: Final = re.compile(r"[ |+\-]*(?P<name>[^\W\d][\w.<>]*)(?=:|$)")


def redact(span: Span) -> None:
    """Leave of a database's exceptions, and of those they caused, classes and places.

    For spans that are ending: nobody has been handed them yet.
    """
    quoted = ""
    for event in span._events:  # noqa: SLF001 - the SDK has no public way
        if event.name == _EXCEPTION and _quotes(event.attributes or {}):
            quoted = str((event.attributes or {}).get(EXCEPTION_TYPE, _EXCEPTION))
            _redact_event(event)
    description = span.status.description
    if description is None:
        return
    name = description.partition(":")[0]
    if not quoted and is_named_like_one(name):
        quoted = name
    if quoted:
        span._status = Status(span.status.status_code, quoted)  # noqa: SLF001


def _quotes(attributes: Mapping[str, Any]) -> bool:
    stack = str(attributes.get(EXCEPTION_STACKTRACE, ""))
    names = (str(attributes.get(EXCEPTION_TYPE, "")), *_classes(stack))
    return any(map(_is_of_database, names))


def _redact_event(event: Event) -> None:
    kept = dict(event.attributes or {})
    kept.pop(EXCEPTION_MESSAGE, None)
    if EXCEPTION_STACKTRACE in kept:
        kept[EXCEPTION_STACKTRACE] = _without_words(str(kept[EXCEPTION_STACKTRACE]))
    event._attributes = BoundedAttributes(attributes=kept)  # noqa: SLF001


def _classes(stack: str) -> Iterator[str]:
    for line in stack.splitlines():
        found = _CLASS.match(line)
        if found is not None:
            yield found["name"]


def _without_words(stack: str) -> str:
    return "".join(
        f"{kept}\n" for kept in map(_without_word, stack.splitlines()) if kept
    )


def _without_word(line: str) -> str:
    """Return what of a traceback's line is no word of an exception's or of the code's."""
    found = _PLACE.fullmatch(line) or _LINK.fullmatch(line)
    if found is not None:
        return found[0]
    named = _CLASS.match(line)
    if named is None:
        return ""
    is_known = _class(named["name"]) is not None or _is_of_database(named["name"])
    return named[0] if is_known else ""


def _is_of_database(name: str) -> bool:
    found = _class(name)
    if found is not None:
        return is_type_of_one(found)
    return is_named_like_one(name)


def _class(name: str) -> type[BaseException] | None:
    """Return the exception's class of this name, if it is among what has been imported."""
    module, _, own = name.rpartition(".")
    # Not `getattr`: a module may import another when it is asked for a name.
    known: Mapping[str, object] = getattr(
        sys.modules.get(module or "builtins"), "__dict__", {}
    )
    found = known.get(own)
    if isinstance(found, type) and issubclass(found, BaseException):
        return found
    return None
