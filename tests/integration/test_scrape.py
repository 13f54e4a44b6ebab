"""Prometheus scrapes whichever worker answers: nothing is lost, doubled, or ever less."""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from itertools import repeat
from typing import Any, Final

import pytest

from prs_otel.store import open_store
from tests.support import people
from tests.support.http import Client
from tests.support.monitored import quick
from tests.support.programs import promtool
from tests.support.scraped import OPENMETRICS, Series, exemplars, monotone, value
from tests.support.servers import gunicorn, serving
from tests.support.sites import Site
from tests.support.wait import wait_until

pytestmark = pytest.mark.uncovered

PATH: Final = "/api/monitoring/metrics/"
ROUND: Final = {"/plain/": 200, "/queries/one/": 80, "/fails/": 40}
COUNT: Final = "http_server_request_duration_seconds_count"
ERRORS: Final = "prs_http_server_request_errors_total"
NAMED_LIKE_A_HISTOGRAM: Final = 'db_client_connection_count non-histogram and non-summary metrics should not have "_count" suffix'


def scraping(site: Site) -> Site:
    return quick(site, SCRAPE_ENDPOINT=True, FLUSH_INTERVAL=0.5)


def scrape(client: Client, headers: Mapping[str, str]) -> str:
    response = client.get(PATH, **headers, Accept=OPENMETRICS)
    assert response.status == 200, response.text
    assert response.headers["Content-Type"].startswith("application/openmetrics-text")
    return response.text


def counted(text: str, path: str) -> float:
    labels = {"http_route": path, "http_request_method": "GET"}
    return value(text, COUNT, **labels)


@contextmanager
def traffic(client: Client) -> Iterator[threading.Thread]:
    """Send a round of requests beside the block; each has to be answered."""
    broken: list[tuple[str, int]] = []

    def send() -> None:
        for path, times in ROUND.items():
            answers = client.get_all(repeat(path, times), at_once=3)
            expected = 500 if path == "/fails/" else 200
            broken.extend(answers.keys() - {(path, expected)})

    thread = threading.Thread(target=send)
    thread.start()
    yield thread
    thread.join()
    assert broken == []


def levels(site: Site) -> set[int]:
    """Return the levels of the rows that are stored."""
    settings: Any = site.settings["MONITORING_SETTINGS"]
    with closing(open_store(settings["STORE"])) as store, store.reading() as reader:
        return {row.level for row in reader.rows()}


class Watch:
    """Scrape again and again, and see that nothing becomes less."""

    def __init__(self, client: Client, headers: Mapping[str, str]) -> None:
        self._client, self._headers = client, headers
        self._latest: dict[Series, float] = {}
        self.text = ""

    def look(self) -> None:
        self.text = scrape(self._client, self._headers)
        now = monotone(self.text)
        less = {
            series: (before, now.get(series))
            for series, before in self._latest.items()
            if now.get(series, -1.0) < before
        }
        assert less == {}
        self._latest = now


@pytest.mark.timeout(180)
def test_counters_of_all_workers_never_fall_and_are_exact_in_the_end(
    site: Site,
) -> None:
    site = scraping(site)
    headers = people.made(site, "anna:is_staff")["anna"].bearer
    with serving(site, gunicorn("--max-requests=60", workers=3)) as server:
        watch = Watch(server.client, headers)
        first_workers = set(server.workers())

        def merged() -> set[int]:
            watch.look()
            return levels(site) - {0}

        with traffic(server.client) as sending:
            while sending.is_alive():
                watch.look()
        # Deltas are merged a quarter of a minute after they were counted.
        wait_until(merged, seconds=60, every=0.5, what=lambda: f"{levels(site)}")
        with traffic(server.client) as sending:
            while sending.is_alive():
                watch.look()
        expected = {path: 2 * times for path, times in ROUND.items()}

        def all_is_counted() -> bool:
            watch.look()
            return {each: counted(watch.text, each) for each in ROUND} == expected

        wait_until(all_is_counted, what=lambda: watch.text)
        fails = {"http_route": "/fails/", "http_request_method": "GET"}
        assert value(watch.text, ERRORS, **fails) == expected["/fails/"]
        assert not first_workers & set(server.workers())
        assert any(True for _ in exemplars(watch.text))


def test_promtool_accepts_the_text(site: Site) -> None:
    site = scraping(site)
    headers = people.made(site, "anna:is_staff")["anna"].bearer
    with serving(site, gunicorn(workers=2)) as server:
        server.client.get_all(["/plain/", "/fails/", "/queries/one/", "/cached/"])
        wait_until(lambda: "system_cpu" in server.client.get(PATH, **headers).text)
        time.sleep(1.5)
        plain = server.client.get(PATH, **headers)

    done = subprocess.run(
        [promtool(), "check", "metrics"],
        input=plain.body,
        capture_output=True,
        timeout=60,
        check=False,
    )

    complaints = (done.stdout + done.stderr).decode().splitlines()
    # Prometheus gives it this name too when it comes by OTLP.
    assert complaints in ([], [NAMED_LIKE_A_HISTOGRAM])


def test_without_the_setting_there_is_nothing_to_scrape(site: Site) -> None:
    site = quick(site)
    anna, bob = people.made(site, "anna:is_staff", "bob").values()
    with serving(site, gunicorn(workers=1)) as server:
        statuses = [
            server.client.get(PATH, **headers).status
            for headers in ({}, bob.bearer, anna.bearer, anna.cookie)
        ]

    assert statuses == [401, 403, 404, 404]
