"""Bytes from a stranger as a JSON document, without more of them than can do no harm."""

from __future__ import annotations

import json
import math
import re
from typing import Any, Final, Protocol

from alerting.text import cleaned
from alerting.webhook.errors import PayloadError, TooLargeError

__all__ = ["BODY_LIMIT", "DEPTH_LIMIT", "Readable", "parse", "read"]

BODY_LIMIT: Final = 256 * 1024  # bytes
DEPTH_LIMIT: Final = 16
CHUNK: Final = 64 * 1024
DIGITS: Final = 18  # more make a number that not every database can keep
# Possessive: a string that never ends is passed over once, not once for each quote in it.
_TOKENS: Final = re.compile(rb'"(?:[^"\\]|\\.)*+"?|[\[\]{}]', re.DOTALL)


class Readable(Protocol):
    """A stream of bytes."""

    def read(self, size: int, /) -> bytes:
        """Return up to `size` bytes, none at the end."""
        ...


def read(stream: Readable, *, declared: str) -> bytes:
    """Return a body of up to `BODY_LIMIT` bytes; raises `TooLargeError`.

    `declared` is the length that the sender has announced, "" when it has not.
    """
    if declared.isdecimal() and (len(declared) > DIGITS or int(declared) > BODY_LIMIT):
        raise _too_large()
    body = bytearray()
    while chunk := stream.read(min(CHUNK, BODY_LIMIT + 1 - len(body))):
        body += chunk
        if len(body) > BODY_LIMIT:
            raise _too_large()
    return bytes(body)


def parse(body: bytes) -> Any:  # noqa: ANN401 - any JSON
    """Return the document in `body`; raises `PayloadError`."""
    if _depth(body) > DEPTH_LIMIT:
        raise PayloadError(f"The body is nested deeper than {DEPTH_LIMIT} levels.")
    try:
        document = json.loads(
            body.decode(),
            parse_constant=_not_finite,
            parse_float=_float,
            parse_int=_int,
        )
    except PayloadError:
        raise
    except ValueError:
        raise PayloadError("The body is no JSON in UTF-8.") from None
    return cleaned(document)


def _depth(body: bytes) -> int:
    deepest = depth = 0
    for token in _TOKENS.finditer(body):
        first = token.group()[:1]
        if first in b"[{":
            depth += 1
            deepest = max(deepest, depth)
        elif first in b"]}":
            depth -= 1
    return deepest


def _float(text: str) -> float:
    number = float(text)
    return number if math.isfinite(number) else _not_finite(text)


def _int(text: str) -> float:
    return int(text) if len(text) <= DIGITS else _float(text)


def _not_finite(text: str) -> float:
    raise PayloadError(f"{text[:20]} is no finite number.")


def _too_large() -> TooLargeError:
    return TooLargeError(f"The body has more than {BODY_LIMIT // 1024} KiB.")
