"""The six rules that every project has, on a server: by load, and by lowered thresholds."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import pytest

from tests.support.administrated import administrator
from tests.support.alerted import alerted, evaluated, impatient, webhook
from tests.support.monitored import host_thresholds
from tests.support.receiver import Receiver, receiver
from tests.support.servers import Server, serving
from tests.support.sites import Site
from tests.support.wait import wait_until

pytestmark = pytest.mark.integration

SOON: Final = """
import psutil
from alerting.rules import builtin

# In place of two minutes, and of half a minute above the threshold.
for _, _, _, look, _ in builtin._RULES:
    if "min_count" not in look:
        look["window"] = "6s"
    if "for" in look:
        look["for"] = "1s"

# What tests keep busy has no thresholds left that it is below.
measured = psutil.cpu_percent
psutil.cpu_percent = lambda: measured() / 2
"""
WHOLE: Final = [
    ("firing", "warning"),
    ("escalated", "critical"),
    ("resolved", "critical"),
]
THREADS: Final = 12


@pytest.fixture
def hook() -> Iterator[Receiver]:
    with receiver() as found:
        yield found


def told(hook: Receiver, name: str) -> list[tuple[str, str]]:
    """Return kind and severity of everything that was told of a rule."""
    return [
        (alert["kind"], alert["severity"])
        for request in hook.requests
        for alert in request.json()["alerts"]
        if alert["name"] == name
    ]


def hears(hook: Receiver, name: str, kind: str, server: Server) -> None:
    def is_told() -> bool:
        return kind in {each for each, _ in told(hook, name)}

    wait_until(
        is_told,
        seconds=20,
        what=lambda: f"{name} {kind}: {hook.requests}\n{server.process.output()}",
    )


HOST: Final = ("high_cpu_usage", "high_memory_usage", "low_disk_space")


def test_processors_memory_and_disk_fire_get_worse_and_are_over(
    site: Site, hook: Receiver
) -> None:
    site = alerted(
        site, [webhook(hook)], rules=[], measuring=dict(host_thresholds(0.01, 100))
    )
    root = administrator(site)

    with serving(site, impatient(site, also=SOON)) as server:
        for name in HOST:
            hears(hook, name, "firing", server)
        assert (
            root.post(server.client, "config/", **host_thresholds(0.01, 0.02)).status
            == 200
        )
        for name in HOST:
            hears(hook, name, "escalated", server)
        assert (
            root.post(server.client, "config/", **host_thresholds(99.8, 99.9)).status
            == 200
        )
        for name in HOST:
            hears(hook, name, "resolved", server)

    assert {name: told(hook, name) for name in HOST} == dict.fromkeys(HOST, WHOLE)


def test_errors_and_slow_queries_fire_get_worse_and_are_over_by_load(
    site: Site, hook: Receiver
) -> None:
    site = alerted(
        site,
        [webhook(hook)],
        rules=[],
        measuring={"SLOW_QUERY_THRESHOLD": 0.3, **host_thresholds(99.8, 99.9)},
    )
    with serving(site, impatient(site, *threads(), workers=1, also=SOON)) as server:

        def asked(path: str, times: int) -> None:
            server.client.get_all([path] * times, at_once=THREADS)

        asked("/plain/", 30)
        asked("/fails/", 5)
        hears(hook, "high_api_error_rate", "firing", server)
        asked("/fails/", 15)
        hears(hook, "high_api_error_rate", "escalated", server)
        asked("/plain/", 200)
        hears(hook, "high_api_error_rate", "resolved", server)

        asked("/queries/one/", 40)
        asked("/queries/slow/?seconds=0.4", 8)
        hears(hook, "high_slow_query_rate", "firing", server)
        asked("/queries/slow/?seconds=0.4", 20)
        hears(hook, "high_slow_query_rate", "escalated", server)
        asked("/queries/one/", 250)
        hears(hook, "high_slow_query_rate", "resolved", server)

    # A rate may be looked at while it goes down, and end as the warning it then is.
    for name in ("high_api_error_rate", "high_slow_query_rate"):
        *before, (kind, _) = told(hook, name)
        assert [*before, kind] == [*WHOLE[:2], "resolved"]


def threads() -> list[str]:
    return ["--worker-class=gthread", f"--threads={THREADS}"]


def test_open_connections_are_critical_and_over_once_they_are_closed(
    site: Site, hook: Receiver
) -> None:
    site = alerted(
        site,
        [webhook(hook)],
        rules=[],
        measuring={
            "DATABASE_CONNECTIONS_CRITICAL_THRESHOLD": 8,
            **host_thresholds(99.8, 99.9),
        },
    )
    with (
        serving(site, impatient(site, *threads(), workers=1, also=SOON)) as server,
        ThreadPoolExecutor(THREADS) as pool,
    ):
        wait_until(lambda: evaluated(site), what=server.process.output)
        for _ in range(THREADS):
            pool.submit(server.client.get, "/queries/slow/?seconds=4")
        hears(hook, "database_connection_issues", "firing", server)
        hears(hook, "database_connection_issues", "resolved", server)

    assert told(hook, "database_connection_issues") == [
        ("firing", "critical"),
        ("resolved", "critical"),
    ]
