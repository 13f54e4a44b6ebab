"""The connections we say a worker has are those the database knows of."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from tests.support.monitored import quick, system_metrics
from tests.support.postgres import postgres
from tests.support.servers import gunicorn, serving, uvicorn
from tests.support.sites import Site
from tests.support.wait import wait_until

OTHER = {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}


@pytest.fixture(scope="module")
def cluster() -> Iterator[dict[str, Any]]:
    with postgres() as database:
        yield database


@pytest.fixture
def on_postgres(site: Site, cluster: dict[str, Any]) -> Site:
    found = site.with_settings(DATABASES={"default": cluster, "other": OTHER})
    quiet = found.with_settings(MONITORING_SETTINGS={"ENABLED": False})
    quiet.manage("migrate", "--run-syncdb", "--verbosity=0")
    return quick(found)


def with_default(site: Site, cluster: dict[str, Any], **more: Any) -> Site:
    databases = {"default": {**cluster, **more}, "other": OTHER}
    return site.with_settings(DATABASES=databases)


def known_to(cluster: dict[str, Any]) -> int:
    """Return how many clients the database has, without the one that asks."""
    with psycopg.connect(
        host=cluster["HOST"], dbname=cluster["NAME"], user=cluster["USER"]
    ) as connection:
        row = connection.execute(
            "SELECT count(*) FROM pg_stat_activity "
            "WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
        ).fetchone()
    assert row is not None
    return int(row[0])


def shown(site: Site) -> list[dict[str, Any]]:
    """Return the connections to the default database, of each worker."""
    return [
        each
        for worker in system_metrics(site)["workers"]
        for each in worker["connections"]
        if each["alias"] == "default"
    ]


def test_the_connections_of_a_pool_are_used_or_idle(
    on_postgres: Site, cluster: dict[str, Any]
) -> None:
    pool = {"min_size": 2, "max_size": 4}
    site = with_default(on_postgres, cluster, OPTIONS={"pool": pool})
    with serving(site, gunicorn("--threads=4", workers=2)) as server:

        def settled() -> list[dict[str, Any]]:
            # Until both workers have answered; nobody says which one gets a request.
            server.client.get_all(["/queries/one/"] * 8, at_once=8)
            found = shown(site)
            total = sum(each["used"] + each["idle"] for each in found)
            return found if len(found) == 2 and total == known_to(cluster) else []

        for each in wait_until(settled, seconds=30, what=server.process.output):
            assert 2 <= each["used"] + each["idle"] <= 4
            assert each["limit"] == 4
            assert each["waiting"] == 0
        document = system_metrics(site)
    assert document["system"]["database_connections"] == sum(
        each["used"] + each["idle"]
        for worker in document["workers"]
        for each in worker["connections"]
    )


@pytest.mark.parametrize(
    "command",
    [gunicorn("--threads=4", workers=2), uvicorn()],
    ids=["threads", "event loop"],
)
def test_the_connections_of_all_threads_are_used(
    on_postgres: Site, cluster: dict[str, Any], command: list[str]
) -> None:
    site = with_default(on_postgres, cluster, CONN_MAX_AGE=60)
    with serving(site, command) as server:
        server.client.get_all(["/queries/one/"] * 40, at_once=8)

        def settled() -> int:
            found = shown(site)
            used = sum(each["used"] for each in found)
            assert not any(each["idle"] for each in found)
            return used if used == known_to(cluster) else 0

        assert wait_until(settled, seconds=20, what=server.process.output) > 0


FORKING = """
import json, os
from django.db import connections
from prs_otel.instrumentation import database, opened
from prs_otel.observation import Thresholds
database.install(thresholds=Thresholds)
for connection in connections.all():
    connection.ensure_connection()
reading, writing = os.pipe()
if not os.fork():
    inherited = opened.open_connections()
    connections["other"].close()
    connections["other"].ensure_connection()
    told = json.dumps([inherited, opened.open_connections()])
    os.write(writing, told.encode())
    os._exit(0)
child = json.loads(os.read(reading, 1000))
os.wait()
print(json.dumps([opened.open_connections(), *child]))
"""


def test_a_child_counts_what_it_has_opened_itself(site: Site) -> None:
    quiet = site.with_settings(MONITORING_SETTINGS={"ENABLED": False})
    done = quiet.manage("shell", "--verbosity=0", "-c", FORKING)

    parent, inherited, own = json.loads(done.stdout)
    assert parent == {"default": 1, "other": 1}
    assert inherited == {}
    assert own == {"other": 1}
