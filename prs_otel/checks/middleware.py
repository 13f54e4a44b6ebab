"""Judge where the project has put our middleware among its own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from prs_otel.checks.finding import ORDER, REPEATED, Finding

_NAME: Final = "PerformanceMonitoringMiddleware"
OURS: Final = (f"prs_otel.{_NAME}", f"prs_otel.manual.middleware.{_NAME}")
_AUTHENTICATION: Final = "django.contrib.auth.middleware.AuthenticationMiddleware"


def findings(middleware: Sequence[str], *, is_automatic: bool) -> Iterator[Finding]:
    """Yield what is wrong with the order of `MIDDLEWARE`.

    `is_automatic` tells whether requests are counted without our middleware.
    """
    places = [at for at, name in enumerate(middleware) if name in OURS]
    if not places:
        return
    if len(places) > 1:
        yield Finding(
            REPEATED,
            f"MIDDLEWARE has {_NAME} {len(places)} times.",
            "Keep one of them: the others only cost time.",
        )
    place = places[-1]
    if is_automatic and _AUTHENTICATION in middleware[place:]:
        yield Finding(
            ORDER,
            f"{_NAME} stands above AuthenticationMiddleware, where it can tell no more "
            "of a request's user and organisation than is known without it.",
            f"Put it below {_AUTHENTICATION!r} and whatever knows the organisation, or "
            "remove it: requests are counted without it.",
        )
    if not is_automatic and places[0] > 0:
        yield Finding(
            ORDER,
            f"{_NAME} stands below {middleware[0]!r}: requests that are answered above "
            "it are not counted, nor is the time that is spent there.",
            "Put it first in MIDDLEWARE, as OTEL_PYTHON_DISABLED_INSTRUMENTATIONS "
            "leaves counting to it; or take django out of that variable.",
        )
