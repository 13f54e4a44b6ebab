"""prs-otel as INSTALLED_APPS alone switches it on, alerting included.

Exporting means everything on: spans over OTLP and figures per tenant. What the leader does has a
budget of its own, so the worker measured here is one of the others.
"""

from __future__ import annotations

import importlib
import json
import os
import socket
import time
from typing import TYPE_CHECKING, Any

from opentelemetry import trace

from benchmarks.overhead.peers import Captured
from prs_otel.store import open_store
from prs_otel.store.base import LEADER

if TYPE_CHECKING:
    from django.http import HttpRequest

    from benchmarks.overhead.peers import Surroundings
    from benchmarks.overhead.plan import Variant

WINDOW_SECONDS = 3_600.0
# Flushed by the block, as the others are, and not by the clock.
FLUSH_INTERVAL = 60
# Until the first flush has made sure that this worker never stands for election.
LEASE_SECONDS = 60.0
_IDENTIFY = "benchmarks.overhead.peers.identify"


class Ours:
    """The package under its own store, in the directory it is given."""

    def __init__(self, *, exporting: bool, identified: bool) -> None:
        self._exporting = exporting
        self._identified = identified
        self._store_url = ""

    def environment(self, around: Surroundings) -> dict[str, str]:
        """Install both apps and, when exporting, name the sink and a tenant resolver."""
        self._store_url = f"sqlite:///{around.directory}/store.sqlite3"
        monitoring: dict[str, object] = {
            "STORE": self._store_url,
            "FLUSH_INTERVAL": FLUSH_INTERVAL,
        }
        environment = {"SITE_APPS": "prs_otel alerting"}
        if self._exporting:
            monitoring["TENANT_RESOLVER"] = f"{__name__}.tenant_of"
            environment["OTEL_EXPORTER_OTLP_ENDPOINT"] = around.sink
        if self._identified:
            monitoring["TENANT_RESOLVER"] = f"{_IDENTIFY}.tenant_of"
            environment["SITE_LAST_MIDDLEWARE"] = f"{_IDENTIFY}.sign_in"
        return environment | {"SITE_MONITORING": json.dumps(monitoring)}

    def install(self) -> None:
        """Leave it to the settings, but let somebody else lead from the first moment."""
        store = open_store(self._store_url)
        store.acquire(
            LEADER,
            holder="benchmark",
            host=socket.gethostname(),
            pid=os.getppid(),
            ttl=LEASE_SECONDS,
            now=time.time(),
        )
        store.close()

    def flush(self) -> None:
        """Append what was counted to the store and export the spans that are queued."""
        worker = _pipeline().current().worker
        worker.may_lead = False
        worker.publisher.flush(time.time(), figures={}, failures={})
        force_flush = getattr(trace.get_tracer_provider(), "force_flush", None)
        if force_flush is not None:
            force_flush()

    def captured(self) -> Captured | None:
        """Read the totals of the merged view."""
        self.flush()
        window = _pipeline().view().window(WINDOW_SECONDS, now=time.time())
        return Captured(window.total("request").count, window.total("query").count)


def tenant_of(request: HttpRequest) -> str | None:
    """Tell an organisation from a header, as a gateway would set it."""
    organization: str | None = request.META.get("HTTP_X_ORGANIZATION")
    return organization


def _pipeline() -> Any:  # noqa: ANN401 -- importable only once Django is set up
    return importlib.import_module("prs_otel.pipeline")


def peer(variant: Variant) -> Ours:
    """Return our own peer."""
    return Ours(exporting=variant.exporting, identified=variant.identified)
