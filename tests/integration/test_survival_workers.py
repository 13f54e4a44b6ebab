"""Counts stay true while workers are recycled, killed and succeeded."""

from __future__ import annotations

import http.client
import os
import signal
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import chain, repeat

import pytest

from tests.support.http import BROKEN, Client
from tests.support.monitored import counts, quick, status, wait_for_counts
from tests.support.servers import gunicorn, serving, uvicorn
from tests.support.sites import Site
from tests.support.wait import wait_until

pytestmark = pytest.mark.uncovered


def interleaved(**times: int) -> Iterator[str]:
    """Return paths, each as often as said, in turn."""
    paths = {f"/{name}/".replace("__", "/"): count for name, count in times.items()}
    return chain.from_iterable(
        (path for path, count in paths.items() if n < count)
        for n in range(max(paths.values()))
    )


@pytest.mark.parametrize("options", [[], ["--preload"]], ids=["late", "preload"])
def test_four_recycled_workers_lose_and_double_nothing(
    site: Site, options: list[str]
) -> None:
    site = quick(site)
    command = gunicorn("--max-requests=50", *options, workers=4)

    with serving(site, command) as server:
        answers = server.client.get_all(
            interleaved(plain=600, queries__one=300, fails=100), at_once=8
        )
        assert answers == {
            ("/plain/", 200): 600,
            ("/queries/one/", 200): 300,
            ("/fails/", 500): 100,
        }
        expected = {"/plain/": 600, "/queries/one/": 300, "/fails/": 100}
        wait_for_counts(site, expected)

    # Those who were still there when the server was told to end lose nothing either.
    assert {endpoint: counts(site)[endpoint] for endpoint in expected} == expected


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("server", ["gunicorn", "uvicorn"])
def test_a_stopped_server_has_handed_over_everything(
    site: Site, server: str, number: signal.Signals
) -> None:
    site = quick(site, FLUSH_INTERVAL=60.0)
    command = gunicorn(workers=2) if server == "gunicorn" else uvicorn()

    with serving(site, command) as served:
        assert served.client.get_all(repeat("/plain/", 100)) == {("/plain/", 200): 100}
        served.process.stop(with_signal=number)

    assert counts(site)["/plain/"] == 100


def answered(client: Client, requests: int) -> Counter[int]:
    """Return how many requests each worker answered; those that broke under 0."""

    def worker(_: int) -> int:
        try:
            return client.get("/plain/").worker
        except (OSError, http.client.HTTPException):
            return BROKEN

    with ThreadPoolExecutor(4) as pool:
        return Counter(pool.map(worker, range(requests)))


def test_a_killed_worker_loses_only_what_it_had_not_flushed(site: Site) -> None:
    site = quick(site)

    with serving(site, gunicorn(workers=4)) as server:
        before = answered(server.client, 400)
        wait_for_counts(site, {"/plain/": 400})
        victim = next(iter(before))
        with ThreadPoolExecutor(1) as pool:
            load = pool.submit(answered, server.client, 400)
            os.kill(victim, signal.SIGKILL)
            during = load.result()
        at_most = 400 + during.total()
        at_least = at_most - during[victim] - during[BROKEN]
        wait_until(lambda: at_least <= counts(site)["/plain/"] <= at_most, every=0.5)

        after = answered(server.client, 100)

        assert after[BROKEN] == 0
        assert victim not in after
        wait_until(lambda: counts(site)["/plain/"] >= at_least + 100, every=0.5)
        assert counts(site)["/plain/"] <= at_most + 100


ALWAYS_FIRING = {
    "name": "there_is_traffic",
    "metric": "http.server.request.count",
    "aggregation": "count",
    "window": "10m",
    "operator": ">",
    "threshold": {"warning": 0},
}


def test_a_killed_leader_is_succeeded_and_no_alert_is_told_twice(site: Site) -> None:
    site = quick(site).with_settings(
        ALERTING_SETTINGS={
            "EVALUATION_INTERVAL": 1,
            "EMAIL_BATCH_SIZE": 1,
            "RULES": [ALWAYS_FIRING],
        }
    )
    site.manage("migrate", "--verbosity=0")

    def leader() -> int:
        evaluator = status(site)["alerting"]["evaluator"]
        return int(evaluator["pid"]) if evaluator else 0

    with serving(site, gunicorn(workers=4)) as server:
        server.client.get_all(repeat("/plain/", 20))
        wait_until(site.mails, seconds=30)
        first = wait_until(leader)
        assert first in server.workers()

        os.kill(first, signal.SIGKILL)
        second = wait_until(lambda: leader() not in (0, first) and leader(), seconds=15)

        assert second in server.workers()
        evaluated = _last_evaluation(site)
        wait_until(lambda: _last_evaluation(site) > evaluated, every=0.5)

    mails = [mail for mail in site.mails() if "there_is_traffic" in mail]
    assert len(mails) == 1, mails


def _last_evaluation(site: Site) -> str:
    evaluator = status(site)["alerting"]["evaluator"]
    return str(evaluator["last_evaluation_at"] or "")
