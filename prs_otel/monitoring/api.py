"""The API of `/api/monitoring/`: who may, and which endpoints it is made of."""

from __future__ import annotations

from ninja import NinjaAPI

from prs_otel import __version__
from prs_otel.monitoring.answers import install_error_handlers
from prs_otel.monitoring.endpoints import (
    administration,
    calls,
    database,
    performance,
    scrape,
    system,
)
from prs_otel.monitoring.permissions import api_auth

api = NinjaAPI(
    title="Monitoring",
    description="What prs-otel measured, over all workers.",
    version=__version__,
    urls_namespace="prs_otel",
    auth=api_auth(),
)
install_error_handlers(api)
administration.install_error_handlers(api)

api.add_router("performance/", performance.router)
api.add_router("database/", database.router)
api.add_router("api/", calls.router)
api.add_router("system/", system.router)
api.add_router("", administration.router)
api.add_router("", scrape.router)
