"""django-prometheus: both middlewares and its SQLite backend, read from the registry."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from benchmarks.overhead.peers import Captured

if TYPE_CHECKING:
    from benchmarks.overhead.peers import Surroundings
    from benchmarks.overhead.plan import Variant

REQUESTS = "django_http_requests_total_by_view_transport_method_total"
QUERIES = "django_db_execute_total"


class Prometheus:
    """Counters and histograms in the process; nothing leaves it."""

    def environment(self, _around: Surroundings) -> dict[str, str]:
        """Install the app, its middlewares around all others, and its database engine."""
        return {
            "SITE_APPS": "django_prometheus",
            "SITE_FIRST_MIDDLEWARE": "django_prometheus.middleware.PrometheusBeforeMiddleware",
            "SITE_LAST_MIDDLEWARE": "django_prometheus.middleware.PrometheusAfterMiddleware",
            "SITE_ENGINE": "django_prometheus.db.backends.sqlite3",
        }

    def install(self) -> None:
        """Have it all done by the settings."""

    def flush(self) -> None:
        """Have nothing queued."""

    def captured(self) -> Captured | None:
        """Sum its two counters over their labels."""
        return Captured(_total(REQUESTS), _total(QUERIES))


def _total(name: str) -> int:
    registry = importlib.import_module("prometheus_client").REGISTRY
    return int(
        sum(
            sample.value
            for family in registry.collect()
            for sample in family.samples
            if sample.name == name
        )
    )


def peer(_variant: Variant) -> Prometheus:
    """Return the peer of django-prometheus."""
    return Prometheus()
