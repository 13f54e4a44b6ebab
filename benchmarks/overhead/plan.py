"""What is measured: the views, the variants and how many requests make one block."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

Interface = Literal["wsgi", "asgi"]


@dataclass(frozen=True, slots=True)
class View:
    """A path of the site, its queries per request and the requests of one burst."""

    path: str
    queries: int
    burst: int


@dataclass(frozen=True, slots=True)
class Variant:
    """One way to run the site: a peer (module of ``peers``), behind one interface."""

    name: str
    title: str
    peer: str
    interface: Interface = "wsgi"
    exporting: bool = False
    identified: bool = False
    """Each request is that of another user and organisation."""


# A burst is short enough for its bare neighbours to run at the same pace of the machine,
# all bursts together long enough to hold their share of garbage collections and exports.
BURSTS: Final = 6
VIEWS: Final = (
    View("/plain/", queries=0, burst=50),
    View("/deals/", queries=1, burst=40),
    View("/dashboard/", queries=10, burst=20),
)

VARIANTS: Final = (
    Variant("stock", "stock OpenTelemetry, exporting", "stock", exporting=True),
    Variant("ours", "prs-otel, exporting", "ours", exporting=True),
    Variant(
        "ours-identified",
        "prs-otel, exporting, 50 tenants and 500 users",
        "ours",
        exporting=True,
        identified=True,
    ),
    Variant("stock-embedded", "stock OpenTelemetry, no exporter", "stock"),
    Variant("ours-embedded", "prs-otel, embedded default", "ours"),
    Variant("prometheus", "django-prometheus", "prometheus"),
    Variant("sentry", "sentry-sdk, traced", "sentry", exporting=True),
    Variant(
        "stock-asgi",
        "stock OpenTelemetry, exporting, ASGI",
        "stock",
        "asgi",
        exporting=True,
    ),
    Variant("ours-asgi", "prs-otel, exporting, ASGI", "ours", "asgi", exporting=True),
)


def bare(interface: Interface) -> Variant:
    """Return the variant without any instrumentation that the others are compared with."""
    return Variant(
        f"bare-{interface}", f"bare Django, {interface.upper()}", "bare", interface
    )


def named(name: str) -> Variant:
    """Return the variant of that name; raises KeyError for an unknown one."""
    known = (bare("wsgi"), bare("asgi"), *VARIANTS)
    return {variant.name: variant for variant in known}[name]
