"""The site answers as the other integration tests assume, whoever serves it."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest

from tests.support.http import Client
from tests.support.postgres import postgres
from tests.support.processes import Process
from tests.support.servers import gunicorn, runserver, serving, uvicorn
from tests.support.sites import Site
from tests.support.wait import wait_until

# The plain Django project, as it is before anybody installs us.
BARE = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.sessions",
    "library",
]
STATUSES = {
    "/plain/": 200,
    "/items/7/": 200,
    "/items/seven/": 404,
    "/sleeps/?seconds=0.01": 200,
    "/fails/": 500,
    "/missing/": 404,
    "/answers/418/": 418,
    "/streams/": 200,
    "/cached/": 200,
    "/cached/?miss=1": 200,
    "/queries/one/": 200,
    "/queries/ten/": 200,
    "/queries/slow/?seconds=0.01": 200,
    "/queries/n-plus-one/": 200,
    "/queries/iterates/": 200,
    "/queries/executes-many/": 200,
    "/queries/writes/": 200,
    "/queries/other-alias/": 200,
    "/queries/wrong/": 500,
    "/queries/distinct/1/": 200,
    "/queries/large/1000/": 200,
    "/queries/streams/": 200,
    "/async/plain/": 200,
    "/async/one/": 200,
    "/async/n-plus-one/": 200,
    "/async/sleeps/?seconds=0.01": 200,
    "/async/fails/": 500,
    "/async/missing/": 404,
    "/async/streams/": 200,
    "/async/cached/": 200,
}


@pytest.mark.parametrize("command", [gunicorn, uvicorn, runserver])
def test_every_view_answers_under_every_server(
    site: Site, command: Callable[[], list[str]]
) -> None:
    bare = site.with_settings(INSTALLED_APPS=BARE)

    with serving(bare, command(), is_launched=False) as server:
        statuses = {path: server.client.get(path).status for path in STATUSES}

    assert statuses == STATUSES


def test_a_server_names_the_worker_that_answered(site: Site) -> None:
    bare = site.with_settings(INSTALLED_APPS=BARE)

    with serving(bare, gunicorn(workers=2), is_launched=False) as server:
        worker = server.client.get("/plain/").worker

        assert worker in server.workers()


def test_no_worker_outlives_the_block(site: Site) -> None:
    bare = site.with_settings(INSTALLED_APPS=BARE)

    with serving(bare, gunicorn(workers=2), is_launched=False) as server:
        workers = wait_until(server.workers)

    wait_until(lambda: not any(is_alive(pid) for pid in workers))


def test_the_site_runs_on_postgres(site: Site) -> None:
    with postgres() as database:
        databases = {"default": database, "other": database}
        bare = site.with_settings(INSTALLED_APPS=BARE, DATABASES=databases)
        bare.manage("migrate", "--run-syncdb", "--verbosity=0")
        bare.manage("seed")

        with serving(bare, gunicorn(), is_launched=False) as server:
            paths = [path for path in STATUSES if path.startswith("/queries/")]
            statuses = {path: server.client.get(path).status for path in paths}

    assert statuses == {path: STATUSES[path] for path in paths}


def test_a_client_counts_broken_connections() -> None:
    nobody = Client(port=1)

    assert nobody.get_all(["/plain/"] * 3) == {("/plain/", 0): 3}


def test_a_process_is_killed_with_its_children(site: Site) -> None:
    bare = site.with_settings(INSTALLED_APPS=BARE)

    with serving(bare, gunicorn(), is_launched=False) as server:
        process: Process = server.process

        assert process.stop() == 0


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
