"""Whether requests and queries can be measured, once each."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib.metadata import entry_points
from importlib.util import find_spec
from typing import TYPE_CHECKING, Final

from django.conf import settings

from prs_otel.circumstances import INSTRUMENTOR, LAUNCHED
from prs_otel.diagnosis.finding import Finding
from prs_otel.instrumentation import drivers
from prs_otel.launcher import instrumentors

if TYPE_CHECKING:
    from prs_otel.diagnosis.surroundings import Surroundings

ASGI: Final = "opentelemetry.instrumentation.asgi"
DISABLED: Final = "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS"
SDK_DISABLED: Final = "OTEL_SDK_DISABLED"


def examine(around: Surroundings) -> Iterator[Finding]:
    """Look at what measures, here and in the workers."""
    yield from _switched_off(around)
    yield from _asgi(around)
    yield from _launcher(around)
    yield from _duplicates(around)


def _switched_off(around: Surroundings) -> Iterator[Finding]:
    environment = around.server_environment
    if environment.get(SDK_DISABLED, "").strip().lower() == "true":
        yield Finding(
            "instrumentation",
            "critical",
            f"{SDK_DISABLED} is true: OpenTelemetry makes no spans, and nothing is "
            "measured.",
            f"Remove {SDK_DISABLED} from the server's environment and restart it.",
        )
    if _disabled(around) & {"*", "django"}:
        yield Finding(
            "instrumentation",
            "critical",
            f"{DISABLED} names django: requests are not measured.",
            f"Remove django from {DISABLED} and restart the server.",
        )


def _asgi(around: Surroundings) -> Iterator[Finding]:
    if is_importable(ASGI):
        return
    is_used = bool(getattr(settings, "ASGI_APPLICATION", None)) or any(
        server.speaks_asgi for server in around.servers
    )
    yield Finding(
        "instrumentation",
        "critical" if is_used else "warning",
        f"{ASGI} is not installed: requests of an ASGI server are not measured.",
        'pip install "opentelemetry-instrumentation-django[asgi]"',
    )


def is_importable(module: str) -> bool:
    """Tell whether a module is installed, without importing it."""
    try:
        return sys.modules.get(module) is not None or find_spec(module) is not None
    except (ImportError, ValueError):
        return False


def _launcher(around: Surroundings) -> Iterator[Finding]:
    told = [worker for worker in around.workers if LAUNCHED in worker.figures]
    if not told:
        return
    if all(worker.figures[LAUNCHED] for worker in told):
        message = "The server runs under opentelemetry-instrument."
        yield Finding("instrumentation", "ok", message)
        return
    names = sorted(
        {each.name for each in entry_points(group="opentelemetry_instrumentor")}
        - instrumentors.OURS
        - _disabled(around)
    )
    if names:
        yield Finding(
            "instrumentation",
            "warning",
            "The server runs without opentelemetry-instrument, so that these "
            f"instrumentations do not: {', '.join(names)}.",
            "Put opentelemetry-instrument before the server's command.",
        )
    else:
        yield Finding(
            "instrumentation",
            "ok",
            "The server runs without opentelemetry-instrument, which is not needed.",
        )


def _duplicates(around: Surroundings) -> Iterator[Finding]:
    here = drivers.active()
    there = {
        figure.removeprefix(INSTRUMENTOR)
        for worker in around.workers
        for figure in worker.figures
        if figure.startswith(INSTRUMENTOR)
    }
    for name in sorted(here | there):
        yield Finding(
            "instrumentation",
            "warning",
            f"The instrumentation of the driver {name} is switched on beside ours, "
            "which measures every query already.",
            f"Do not call the instrument() of opentelemetry-instrumentation-{name}.",
        )


def _disabled(around: Surroundings) -> set[str]:
    names = around.server_environment.get(DISABLED, "").split(",")
    return {name.strip() for name in names if name.strip()}
