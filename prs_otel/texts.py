"""Bring what others call their things into a form that can be counted, stored and sent."""

from __future__ import annotations

from hashlib import blake2b
from typing import Final
from uuid import UUID

ID_LIMIT: Final = 200  # characters
REMAINDER: Final = "__other__"
"""What stands for all that exceeds a cap: as somebody's id it would show him all of that."""

_DIGEST_SIZE: Final = 8


def storable(text: str, limit: int) -> str:
    """Return a text's first `limit` characters, `?` for what UTF-8 or a database refuses."""
    kept = text[:limit]
    if kept.isprintable():
        return kept
    return kept.encode(errors="replace").decode().replace("\0", "?")


def identifier(value: object) -> str | None:
    """Return an id as text, `None` for `None`; raises `TypeError` for what is no id.

    An id is a number, a UUID or a text that says something. What else has a text of its
    own, such as a model instance, may say a name in it, or where it lies in memory. Two
    ids stay two, also where one has to be shortened.
    """
    if value is None:
        return None
    if isinstance(value, str):
        found = value if _is_plain(value) else _distinct(str.__str__(value))
    elif isinstance(value, int) and not isinstance(value, bool):
        found = _digits(value)
    elif isinstance(value, UUID):
        found = str(value)
    else:
        found = ""
    if not found:
        raise TypeError(
            f"{type(value).__qualname__} is no id: give an int, str or UUID"
        )
    return found


def _is_plain(value: str) -> bool:
    """Tell whether a text is an id as it is; nearly all are."""
    return (
        type(value) is str
        and value.isprintable()
        and len(value) <= ID_LIMIT
        and value != REMAINDER
    )


def _distinct(text: str) -> str:
    """Return a text itself, or what can be kept of it with a digest of the whole."""
    kept = storable(text, ID_LIMIT)
    if kept == text != REMAINDER:
        return text
    data = text.encode(errors="surrogatepass")
    digest = blake2b(data, digest_size=_DIGEST_SIZE).hexdigest()
    return f"{kept[: ID_LIMIT - len(digest) - 1]}~{digest}"


def _digits(value: int) -> str:
    """Return a number's digits, "" where there are more than an id has characters."""
    is_short = value.bit_length() <= ID_LIMIT * 3
    return int.__repr__(value) if is_short else ""
