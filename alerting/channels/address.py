"""Where to post to: an HTTP address that keeps its secrets.

User, password, path and query may all carry a token, so of an address only scheme, host
and port are ever shown.
"""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass, field
from typing import Final, Self
from urllib.parse import unquote, urlsplit, urlunsplit

__all__ = ["Address", "without_addresses"]

_URL: Final = re.compile(r"([a-z][a-z0-9+.-]*://)[^\s'\"<>]*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Address:
    """One address; `authorization` is what its user and password become, "" without."""

    origin: str
    url: str = field(repr=False)
    authorization: str = field(repr=False, default="")

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read an http or https address; raise `ValueError` without repeating it."""
        try:
            parts = urlsplit(text)
            host, port = parts.hostname, parts.port
        except ValueError:
            raise ValueError("no address") from None
        is_plain = text.isascii() and text.isprintable() and " " not in text
        if parts.scheme not in {"http", "https"} or not host or not is_plain:
            raise ValueError("no http or https address")
        netloc = f"[{host}]" if ":" in host else host
        netloc = netloc if port is None else f"{netloc}:{port}"
        url = urlunsplit((parts.scheme, netloc, parts.path or "/", parts.query, ""))
        basic = _basic(parts.username, parts.password)
        return cls(f"{parts.scheme}://{netloc}", url, basic)

    def under(self, path: str) -> Self:
        """Return the address of `path` below this one."""
        parts = urlsplit(self.url)
        below = parts._replace(path=parts.path.rstrip("/") + path)
        return type(self)(self.origin, urlunsplit(below), self.authorization)

    def __str__(self) -> str:
        return self.origin


def without_addresses(text: str) -> str:
    """Return `text` with nothing of any address in it but the scheme."""
    return _URL.sub(r"\1…", text)


def _basic(user: str | None, password: str | None) -> str:
    if user is None:
        return ""
    pair = f"{unquote(user)}:{unquote(password or '')}"
    return f"Basic {base64.b64encode(pair.encode()).decode()}"
