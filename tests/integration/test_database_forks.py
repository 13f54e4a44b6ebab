"""Connections to a database and forks: each process has its own, whoever opens them."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.monitored import quick, wait_for_counts
from tests.support.postgres import postgres
from tests.support.servers import gunicorn, serving
from tests.support.sites import CODE, Site

# The child leaves by the front door, so that all we do at the end of a process is done.
SCENE = """
import json, os, sys, threading
from library.wsgi import application
from django.db import connection
from prs_otel.instrumentation.database import open_connections


def server_process():
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return cursor.fetchone()[0]


def in_a_thread(function):
    found = []
    thread = threading.Thread(target=lambda: found.append(function()))
    thread.start()
    thread.join()
    return found[0]


before = server_process()
reading, writing = os.pipe()
child = os.fork()
if child == 0:
    os.write(writing, str(in_a_thread(server_process)).encode())
    sys.exit()
os.waitpid(child, 0)
told = {
    "parent": [before, server_process()],
    "child": int(os.read(reading, 100)),
    "open": open_connections(),
}
print(json.dumps(told))
"""


@pytest.fixture(scope="module")
def cluster() -> Iterator[dict[str, object]]:
    with postgres() as database:
        yield database


@pytest.fixture
def persistent(site: Site, cluster: dict[str, object]) -> Site:
    """Return the site with connections that stay open between requests."""
    default = {**cluster, "CONN_MAX_AGE": None}
    other = {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}
    found = quick(site).with_settings(DATABASES={"default": default, "other": other})
    off = found.with_settings(MONITORING_SETTINGS={"ENABLED": False})
    off.manage("migrate", "--run-syncdb", "--verbosity=0")
    return found


def test_a_child_that_ends_leaves_the_connection_of_its_parent_open(
    persistent: Site,
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCENE],
        capture_output=True,
        check=False,
        cwd=CODE,
        env={**persistent.variables(), "DJANGO_SETTINGS_MODULE": "library.settings"},
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    told: dict[str, Any] = json.loads(done.stdout)

    before, after = told["parent"]
    assert before == after
    assert told["child"] != before
    assert told["open"]["default"] >= 1


def test_workers_of_a_loaded_application_share_no_connection(persistent: Site) -> None:
    with serving(persistent, gunicorn("--preload", workers=2)) as server:
        server.client.get_all(["/queries/writes/"] * 20, at_once=4)
        wait_for_counts(persistent, {"/queries/writes/": 20})
        first, second = (sockets(pid) for pid in server.process.children())
        listener = sockets(server.process.pid)

    # What both have is what they have from their parent: where they listen.
    assert len(first & second) == len(first & second & listener) == 1
    assert first - second
    assert second - first


def sockets(pid: int) -> set[str]:
    """Return the sockets that a process has open."""
    files = {str(file.readlink()) for file in Path(f"/proc/{pid}/fd").iterdir()}
    return {file for file in files if file.startswith("socket:")}
