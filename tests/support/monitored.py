"""Read what a served site has measured, the way its people would."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from typing import Any

from prs_otel.monitoring import documents
from prs_otel.monitoring.documents import SampleQuery
from prs_otel.monitoring.schemas import SlowCall
from prs_otel.rollup.view import MetricsView
from prs_otel.store import open_store
from tests.support.sites import Site
from tests.support.wait import wait_until

# Sized for tests: what a worker counted is visible after a second.
QUICK = {"FLUSH_INTERVAL": 1.0, "SYSTEM_METRICS_INTERVAL": 1.0}


def quick(site: Site, **settings: object) -> Site:
    """Return the site with `MONITORING_SETTINGS` that flush every second."""
    store = f"sqlite:///{site.directory}/store/store.sqlite3"
    return site.with_settings(
        MONITORING_SETTINGS={**QUICK, "STORE": store, **settings},
    )


def summary(site: Site) -> dict[str, Any]:
    """Return the last hour's summary, read by a process of its own."""
    document: dict[str, Any] = site.manage_json(
        "manage_monitoring", "summary", "--hours", "1", "--format", "json"
    )
    return document


def host_thresholds(warning: float, critical: float) -> dict[str, float]:
    """Return settings that give processors, memory and disk the same two thresholds (percent)."""
    return {
        f"{prefix}_{step}_THRESHOLD": value
        for prefix in ("CPU", "MEMORY", "DISK")
        for step, value in (("WARNING", warning), ("CRITICAL", critical))
    }


@contextmanager
def viewing(site: Site) -> Iterator[MetricsView]:
    """Look at a `quick` site's store from here, which costs no process."""
    settings: Any = site.settings["MONITORING_SETTINGS"]
    with closing(open_store(settings["STORE"])) as store:
        yield MetricsView(store, series_limit=5_000, new_lock=threading.Lock)


def slow_calls(site: Site) -> Sequence[SlowCall]:
    """Return the slowest requests of the last hour, as the API would say."""
    asked = SampleQuery(seconds=3_600, limit=100)
    with viewing(site) as view:
        return documents.slow_calls(view, asked, now=time.time()).items


def system_metrics(site: Site) -> dict[str, Any]:
    """Return what hosts and workers of a `quick` site are doing, as the API would say."""
    with viewing(site) as view:
        found = documents.system_metrics(view, now=time.time())
    return found.model_dump(mode="json")


def status(site: Site) -> dict[str, Any]:
    """Return the monitor's own status; its exit code may say that something is wrong."""
    done = site.manage(
        "manage_monitoring", "status", "--format", "json", is_checked=False
    )
    document: dict[str, Any] = json.loads(done.stdout)
    return document


def counts(site: Site) -> Counter[str]:
    """Return how many requests each endpoint is known to have had in the last hour."""
    found: Counter[str] = Counter()
    with viewing(site) as view:
        for row in documents.summary(view, hours=1, now=time.time()).endpoints:
            found[row.endpoint] += row.count
    return found


def wait_for_counts(
    site: Site, expected: dict[str, int], *, seconds: float = 20
) -> None:
    """Wait until the view says exactly this of these endpoints."""
    latest: Counter[str] = Counter()

    def agree() -> bool:
        latest.clear()
        latest.update(counts(site))
        return all(latest[endpoint] == count for endpoint, count in expected.items())

    wait_until(
        agree,
        seconds=seconds,
        every=0.1,
        what=lambda: f"expected {expected}, the view says {dict(latest)}",
    )
