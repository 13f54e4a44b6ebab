"""The bundle: found once, served from this process, cached by browsers for ever.

No static files app is needed: many projects have none in production, and a monitored network
often has no way out to a CDN. What the files hold is part of their addresses.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from django.http import Http404, HttpRequest, HttpResponse

DIRECTORY: Final = Path(__file__).resolve().parent / "static" / "prs_otel"
SCRIPT: Final = "dashboard.js"
STYLE: Final = "dashboard.css"
_TYPES: Final = {
    SCRIPT: "text/javascript; charset=utf-8",
    STYLE: "text/css; charset=utf-8",
}
_FOR_EVER: Final = "public, max-age=31536000, immutable"
_DIGEST_LENGTH: Final = 16


@dataclass(frozen=True, slots=True)
class Asset:
    """One file of the bundle; `digest` changes whenever `content` does."""

    content: bytes
    digest: str


def is_built() -> bool:
    """Tell whether the bundle is there; a checkout that was never installed has none."""
    return all((DIRECTORY / name).is_file() for name in _TYPES)


def asset(name: str) -> Asset:
    """Return one of the files, read again only when it was built anew; raises `OSError`."""
    path = DIRECTORY / name
    return _read(path, path.stat().st_mtime_ns)


def serve(request: HttpRequest, digest: str, name: str) -> HttpResponse:
    """Answer with one of the files. There is nothing private in them."""
    if name not in _TYPES or not is_built():
        raise Http404
    found = asset(name)
    # A page from before an update asks for what is no more: the new file, but not for ever.
    caching = _FOR_EVER if digest == found.digest else "no-cache"
    return HttpResponse(
        found.content,
        content_type=_TYPES[name],
        headers={"Cache-Control": caching, "X-Content-Type-Options": "nosniff"},
    )


@cache
def _read(path: Path, modified_at: int) -> Asset:
    content = path.read_bytes()
    digest = hashlib.sha256(content).hexdigest()[:_DIGEST_LENGTH]
    return Asset(content, digest)
