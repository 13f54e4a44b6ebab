"""Look for what keeps requests from being measured, or measures queries twice."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Final

from prs_otel.checks.finding import ASGI, DRIVER, Finding
from prs_otel.checks.installed import is_installed

_ASGI_PART: Final = "opentelemetry.instrumentation.asgi"
_ASGI_APPS: Final = ("channels", "daphne")


def asgi_findings(application: str | None, apps: Collection[str]) -> Iterator[Finding]:
    """Yield a finding where the project is served by ASGI and that cannot be traced.

    `application` is `ASGI_APPLICATION`, `apps` are the installed ones.
    """
    reason = "ASGI_APPLICATION is set" if application else _asgi_app(apps)
    if reason and not is_installed(_ASGI_PART):
        yield Finding(
            ASGI,
            f"{reason}, but {_ASGI_PART} is not installed: no request that an ASGI "
            "server takes is measured.",
            "Install it: pip install 'opentelemetry-instrumentation-django[asgi]'.",
        )


def driver_findings(drivers: Collection[str]) -> Iterator[Finding]:
    """Yield a finding for each database driver that has an instrumentor of its own."""
    for name in sorted(drivers):
        yield Finding(
            DRIVER,
            f"The driver {name} is instrumented by opentelemetry-instrumentation-{name} "
            "too: every query pays for both, although there is one span of it."
            "",
            f"Remove the instrument() of {name}'s instrumentor from your code; queries "
            "of every database are measured through Django.",
        )


def _asgi_app(apps: Collection[str]) -> str:
    found = next((name for name in _ASGI_APPS if name in apps), "")
    return found and f"INSTALLED_APPS has {found!r}"
