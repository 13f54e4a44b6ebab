"""What is changed or maintained over HTTP is so in every worker."""

from __future__ import annotations

import os
import signal
import threading
import time
import uuid
from contextlib import closing

import pytest

from prs_otel.distribution import Changed, distribute
from prs_otel.rollup import codec, series
from prs_otel.rollup.cells import Cells
from prs_otel.rollup.view import REVISION
from prs_otel.store.base import Beat, Bucket
from prs_otel.store.sqlite import SqliteStore
from tests.support.administrated import Administrator, administrator, reach_all
from tests.support.http import Client
from tests.support.monitored import counts, quick, summary, wait_for_counts
from tests.support.servers import Server, gunicorn, serving
from tests.support.sites import Site
from tests.support.wait import wait_until

pytestmark = pytest.mark.integration

INTERVAL = 2.0
SLOW = "/queries/slow/?seconds=0.05"


def workers_of(server: Server, count: int) -> set[int]:
    return set(
        wait_until(lambda: found if len(found := server.workers()) == count else [])
    )


def slow_queries(root: Administrator, client: Client) -> int:
    """Return how many of those count as slow that sleep; on a busy machine others do, too."""
    found = root.get(client, "performance/summary/?hours=1")["fingerprints"]
    return sum(each["slow_count"] for each in found if "pg_sleep" in each["query"])


def slow_sleeps(site: Site) -> int:
    found = summary(site)["endpoints"]
    return sum(each["slow_count"] for each in found if each["endpoint"] == "/sleeps/")


def test_a_change_is_in_force_in_every_worker_and_outlives_them(site: Site) -> None:
    site = quick(site, FLUSH_INTERVAL=INTERVAL)
    root = administrator(site)

    with serving(site, gunicorn(workers=3)) as server:
        client, workers = server.client, workers_of(server, 3)
        sent = reach_all(client, SLOW, workers)
        wait_for_counts(site, {"/queries/slow/": sent})
        assert slow_queries(root, client) == 0

        changed = root.post(client, "config/", SLOW_QUERY_THRESHOLD=0.02)
        assert changed.status == 200
        # As long as a change may take, and no longer.
        time.sleep(INTERVAL)
        slow = reach_all(client, SLOW, workers)
        wait_until(lambda: slow_queries(root, client) == slow, every=0.5)
        assert root.revisions(client).keys() >= workers
        assert set(root.revisions(client).values()) == {1}

        os.kill(victim := min(workers), signal.SIGKILL)
        (heir,) = wait_until(lambda: set(server.workers()) - workers)
        survivors = {*workers, heir} - {victim}
        reach_all(client, "/plain/", survivors)
        wait_until(lambda: root.revisions(client).get(heir) == 1)
        slow += reach_all(client, SLOW, survivors)
        wait_until(lambda: slow_queries(root, client) == slow, every=0.5)

        # What the store loses, the leader hands out again.
        with stored(site) as store:
            store.delete("configuration")
        wait_until(lambda: root.get(client, "config/")["distributed_revision"] == 1)

    with serving(site, gunicorn(workers=3)) as server:
        client, workers = server.client, workers_of(server, 3)
        reach_all(client, "/plain/", workers)
        time.sleep(INTERVAL)
        slow += reach_all(client, SLOW, workers)
        wait_until(lambda: slow_queries(root, client) == slow, every=0.5)

        refused = root.post(client, "config/", STORE=None, SLOW_QUERY_THRESHOLD="x")
        assert refused.status == 422
        audit = root.get(client, "config/changes/")

    assert [(each["key"], each["new"]) for each in audit["items"]] == [
        ("SLOW_QUERY_THRESHOLD", 0.02)
    ]


def test_workers_start_with_what_was_changed_though_there_is_no_database(
    site: Site,
) -> None:
    site = quick(site)
    with stored(site) as store:
        distribute(store, Changed(7, {"SLOW_API_THRESHOLD": 0.02}))
    gone = {"ENGINE": "django.db.backends.sqlite3", "NAME": "/nowhere/db.sqlite3"}
    site = site.with_settings(DATABASES={"default": gone, "other": gone})

    with serving(site, gunicorn(workers=2)) as server:
        workers = workers_of(server, 2)
        reach_all(server.client, "/plain/", workers)

        def revisions() -> dict[int, float]:
            with stored(site) as store, store.reading() as reader:
                beats = reader.beats()
            return {beat.pid: beat.figures.get(REVISION, 0) for beat in beats}

        wait_until(lambda: all(revisions().get(pid) == 7 for pid in workers))
        slow = reach_all(server.client, "/sleeps/?seconds=0.05", workers)
        wait_until(lambda: slow_sleeps(site) == slow, every=0.5)


class Traffic:
    """Send requests from several threads, and know when each began and ended."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._is_over = threading.Event()
        self._threads = [threading.Thread(target=self._send) for _ in range(4)]
        self.spans: list[tuple[float, float]] = []

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self._is_over.set()
        for thread in self._threads:
            thread.join()

    def _send(self) -> None:
        while not self._is_over.is_set():
            began = time.time()
            assert self._client.get("/plain/").status == 200
            self.spans.append((began, time.time()))


def test_a_reset_over_http_cuts_every_worker_at_the_same_moment(site: Site) -> None:
    site = quick(site, FLUSH_INTERVAL=INTERVAL)
    root = administrator(site)

    with serving(site, gunicorn(workers=3)) as server:
        client, workers = server.client, workers_of(server, 3)
        reach_all(client, "/plain/", workers)
        traffic = Traffic(client)
        traffic.start()
        time.sleep(INTERVAL)
        asked = time.time()
        response = root.post(client, "maintenance/", action="reset_counters")
        answered = time.time()
        time.sleep(INTERVAL)
        traffic.stop()

        done = response.json()
        assert (response.status, done["missed"]) == (200, 0)
        assert done["processes"] >= 3
        assert done["removed_buckets"] > 0
        at_least = sum(began >= answered for began, _ in traffic.spans)
        at_most = sum(ended >= asked for _, ended in traffic.spans)
        assert 0 < at_least <= at_most < len(traffic.spans)
        wait_until(lambda: at_least <= counts(site)["/plain/"] <= at_most, every=0.5)
        time.sleep(INTERVAL)
        assert at_least <= counts(site)["/plain/"] <= at_most

        # Whatever follows the answer counts, to the last one, though workers were idle.
        again = root.post(client, "maintenance/", action="reset_counters")
        sent = reach_all(client, "/plain/", workers)
        assert again.json()["missed"] == 0
        wait_for_counts(site, {"/plain/": sent})


def test_a_reset_by_command_asks_unless_told_and_reaches_the_workers(
    site: Site,
) -> None:
    site = quick(site)
    reset = ("manage_monitoring", "reset-counters")

    with serving(site, gunicorn(workers=2)) as server:
        client, workers = server.client, workers_of(server, 2)
        sent = reach_all(client, "/plain/", workers)
        refused = site.manage(*reset, is_checked=False)
        wait_for_counts(site, {"/plain/": sent})

        done = site.manage_json(*reset, "--yes", "--format=json")
        sent = reach_all(client, "/plain/", workers)
        wait_for_counts(site, {"/plain/": sent})

    assert refused.returncode == 2
    assert "--yes" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert done["missed"] == 0
    assert done["processes"] >= 2


def stored(site: Site) -> closing[SqliteStore]:
    return closing(SqliteStore(site.directory / "store" / "store.sqlite3"))


def fill(store: SqliteStore, *, at: float) -> None:
    """Leave what three workers could have counted a while ago."""
    for _ in range(3):
        cells = Cells(10)
        cells.cell(series.REQUEST, ("/old/", "GET")).observe(1)
        bucket = Bucket(0, at - 5, at, codec.encode_cells(cells), b"", b"", {})
        worker = uuid.uuid4().hex
        beat = Beat(worker, "elsewhere", 1, at, at, {}, {})
        store.append(bucket, worker=worker, sequence=1, beat=beat, texts={})


def test_a_compaction_over_http_says_what_it_merged(site: Site) -> None:
    site = quick(site)
    root = administrator(site)
    filled = 0

    with serving(site, gunicorn(workers=2)) as server:

        def compacted() -> tuple[int, int]:
            nonlocal filled
            filled += 3
            with stored(site) as store:
                fill(store, at=time.time() - 60)
            response = root.post(server.client, "maintenance/", action="compact")
            assert response.status == 200
            done = response.json()
            return done["merged_buckets"], done["resulting_buckets"]

        # The leader may have been faster, once.
        workers_of(server, 2)
        merged, resulting = wait_until(
            lambda: found if (found := compacted())[0] else None
        ) or (0, 0)

    assert merged >= 3
    assert 1 <= resulting < merged
    assert counts(site)["/old/"] == filled
