"""Which of the project's URL patterns a request matched."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from django.urls import Resolver404, resolve

from prs_otel.observation import with_slash

if TYPE_CHECKING:
    from django.http import HttpRequest


def resolved_route(request: HttpRequest) -> str | None:
    """Return the route with its leading slash, `None` when no pattern matches.

    A middleware may answer before Django resolves the URL: then it is resolved here.
    """
    match = request.resolver_match
    if match is None:
        try:
            match = resolve(request.path_info, getattr(request, "urlconf", None))
        except Resolver404:
            return None
    return _spelled(match.route)


@lru_cache(maxsize=4096)
def _spelled(route: str) -> str:
    # Cached so that a route is always the same string, whose hash is known.
    return with_slash(route)
