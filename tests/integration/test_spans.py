"""What goes over the wire about requests and queries, on real servers and databases."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import pytest

from tests.support.collector import Collector, ReceivedSpan, collecting
from tests.support.mariadb import mariadb
from tests.support.postgres import postgres
from tests.support.programs import mysql_driver
from tests.support.servers import Server, gunicorn, serving, uvicorn
from tests.support.sites import CODE, Site
from tests.support.wait import wait_until

QUERIES: Final = {
    "/queries/one/": ["SELECT library_author"],
    "/queries/iterates/": ["SELECT library_book"],
    "/queries/executes-many/": ["UPDATE library_book"],
    "/queries/writes/": ["INSERT library_author"],
    "/queries/other-alias/": ["SELECT"],
    "/queries/wrong/": ["SELECT no_such_table"],
    "/queries/streams/": ["SELECT library_book"],
    "/queries/n-plus-one/": ["SELECT library_book", *["SELECT library_author"] * 10],
    "/async/one/": ["SELECT library_author"],
}

# The application has the drivers' own instrumentors run, which make spans as well.
DRIVERS: Final = """
from opentelemetry.instrumentation.mysqlclient import MySQLClientInstrumentor
from opentelemetry.instrumentation.psycopg import PsycopgInstrumentor
from opentelemetry.instrumentation.pymysql import PyMySQLInstrumentor
from opentelemetry.instrumentation.sqlite3 import SQLite3Instrumentor

MySQLClientInstrumentor().instrument()
PsycopgInstrumentor().instrument()
PyMySQLInstrumentor().instrument()
SQLite3Instrumentor().instrument()

from library.wsgi import application
"""


@pytest.fixture
def collector() -> Iterator[Collector]:
    with collecting() as found:
        yield found


@pytest.fixture(scope="module")
def cluster() -> Iterator[dict[str, object]]:
    with postgres() as database:
        yield database


@pytest.fixture(scope="module")
def mariadb_server() -> Iterator[dict[str, object]]:
    with mariadb() as database:
        yield database


@pytest.fixture
def on_postgres(site: Site, cluster: dict[str, object]) -> Site:
    """Return the site with its first database on PostgreSQL, migrated once."""
    return migrated_to(cluster, site)


@pytest.fixture(params=["psycopg", "mysqlclient", "pymysql"])
def on_server(request: pytest.FixtureRequest, site: Site) -> Site:
    """Return the site with its first database on a server, through each driver."""
    if request.param == "psycopg":
        return migrated_to(request.getfixturevalue("cluster"), site)
    driver = mysql_driver(request.param)
    server = request.getfixturevalue("mariadb_server")
    return migrated_to(server, site if driver is None else in_path(driver, site))


def migrated_to(database: dict[str, object], site: Site) -> Site:
    other = {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}
    found = site.with_settings(DATABASES={"default": database, "other": other})
    quiet = found.with_settings(MONITORING_SETTINGS={"ENABLED": False})
    quiet.manage("migrate", "--run-syncdb", "--verbosity=0")
    quiet.manage("seed")
    return found


def in_path(directory: Path, site: Site) -> Site:
    """Return the site with a directory that its processes import from first."""
    path = f"{directory}{os.pathsep}{site.variables()['PYTHONPATH']}"
    return site.with_environment(PYTHONPATH=path)


@contextmanager
def serving_to(
    collector: Collector,
    site: Site,
    command: Sequence[str],
    *,
    is_launched: bool = True,
) -> Iterator[Server]:
    exporting = site.with_environment(**collector.variables())
    with serving(exporting, command, is_launched=is_launched) as server:
        yield server


def ask(server: Server, collector: Collector, *paths: str) -> list[ReceivedSpan]:
    """Send requests one after the other and return their spans in that order."""
    for path in paths:
        server.client.get(path)
    return collector.requests(len(paths))


def query_names(server: Server, collector: Collector) -> dict[str, list[str]]:
    """Return the names of the queries' spans, by the path that ran them."""
    requests = ask(server, collector, *QUERIES)
    collector.wait_for(sum(map(len, QUERIES.values())), kind="CLIENT")
    return {
        request.attributes["url.path"]: [
            query.name for query in collector.queries(request)
        ]
        for request in requests
    }


def the_query(collector: Collector, request: ReceivedSpan) -> ReceivedSpan:
    (query,) = wait_until(lambda: collector.queries(request))
    return query


@pytest.mark.parametrize(
    "command", [gunicorn(workers=1), uvicorn()], ids=lambda c: c[0]
)
def test_every_query_on_sqlite_is_one_span_of_its_request(
    site: Site, collector: Collector, command: Sequence[str]
) -> None:
    with serving_to(collector, site, command) as server:
        assert query_names(server, collector) == QUERIES


@pytest.mark.parametrize("pool", [False, True], ids=["plain", "pooled"])
def test_every_query_on_postgresql_is_one_span_of_its_request(
    on_postgres: Site, collector: Collector, cluster: dict[str, object], pool: bool
) -> None:
    databases: Any = on_postgres.settings["DATABASES"]
    default = {**cluster, "OPTIONS": {"pool": pool}}
    site = on_postgres.with_settings(DATABASES={**databases, "default": default})
    with serving_to(collector, site, gunicorn("--threads=2")) as server:
        assert query_names(server, collector) == QUERIES


@pytest.mark.parametrize("on_server", ["mysqlclient", "pymysql"], indirect=True)
def test_every_query_on_mariadb_is_one_span_of_its_request(
    on_server: Site, collector: Collector
) -> None:
    with serving_to(collector, on_server, gunicorn("--threads=2")) as server:
        assert query_names(server, collector) == QUERIES

    systems = {
        span.attributes["db.system.name"]
        for span in collector.spans
        if span.kind == "CLIENT"
    }
    assert systems == {"mariadb", "sqlite"}


def test_a_drivers_own_instrumentation_makes_no_second_span(
    on_server: Site, collector: Collector, tmp_path: Path
) -> None:
    (tmp_path / "traced_wsgi.py").write_text(DRIVERS)
    site = in_path(tmp_path, on_server).with_environment(
        DJANGO_SETTINGS_MODULE="library.settings"
    )
    command = gunicorn(workers=1)
    command[command.index("library.wsgi")] = "traced_wsgi"
    with serving_to(collector, site, command) as server:
        assert query_names(server, collector) == QUERIES

    # Outside any request they may tell what Django says to a database to open a
    # connection, or to see whether one on which something failed can still be used.
    of_requests = {span.trace_id for span in collector.spans if span.kind == "SERVER"}
    by_drivers = [
        span.name
        for span in collector.spans
        if span.kind == "CLIENT" and span.scope != "prs_otel.instrumentation.database"
        if span.trace_id in of_requests
    ]
    assert by_drivers == []


def test_a_query_says_what_the_conventions_ask_for(
    on_postgres: Site, collector: Collector, cluster: dict[str, object]
) -> None:
    with serving_to(collector, on_postgres, gunicorn(workers=1)) as server:
        (request,) = ask(server, collector, "/queries/one/")
        query = the_query(collector, request)

    assert query.kind == "CLIENT"
    assert query.status == ("UNSET", "")
    assert request.start <= query.start <= query.end <= request.end
    assert query.trace_id == request.trace_id
    fingerprint = query.attributes["prs.db.query.fingerprint"]
    assert len(fingerprint) == 16
    assert query.attributes == {
        "db.system.name": "postgresql",
        "db.namespace": "postgres",
        "db.operation.name": "SELECT",
        "db.collection.name": "library_author",
        "db.query.summary": "SELECT library_author",
        "db.query.text": (
            'SELECT "library_author"."id", "library_author"."name" '
            'FROM "library_author" ORDER BY "library_author"."id" ASC LIMIT ?'
        ),
        "server.address": cluster["HOST"],
        "prs.db.alias": "default",
        "prs.db.query.fingerprint": fingerprint,
    }


def test_a_slow_query_names_the_line_that_ran_it(
    on_postgres: Site, collector: Collector
) -> None:
    site = on_postgres.with_settings(MONITORING_SETTINGS={"SLOW_QUERY_THRESHOLD": 0.1})
    with serving_to(collector, site, gunicorn(workers=1)) as server:
        slow, quick = ask(
            server,
            collector,
            "/queries/slow/?seconds=0.2",
            "/queries/slow/?seconds=0",
        )
        of_slow = the_query(collector, slow).attributes
        of_quick = the_query(collector, quick).attributes

    source = (CODE / "library/queries.py").read_text().splitlines()
    assert of_slow["code.file.path"] == "library/queries.py"
    assert "pg_sleep" in source[of_slow["code.line.number"] - 1]
    assert of_slow["code.function.name"] == "slow"
    assert [name for name in of_quick if name.startswith("code.")] == []


def test_a_failed_query_tells_its_type_but_no_message(
    on_postgres: Site, collector: Collector
) -> None:
    with serving_to(collector, on_postgres, gunicorn(workers=1)) as server:
        (request,) = ask(server, collector, "/queries/wrong/")
        query = the_query(collector, request)

    assert query.status == ("ERROR", "")
    assert query.attributes["error.type"] == "django.db.utils.ProgrammingError"
    assert query.attributes["db.query.text"] == "SELECT ? FROM no_such_table"
    assert request.status == ("ERROR", "")
    (name, event), *_ = request.events
    assert name == "exception"
    assert event["exception.type"] == "django.db.utils.ProgrammingError"
    assert "exception.message" not in event
    assert "queries.py" in event["exception.stacktrace"]
    assert "a secret" not in str(collector.spans)
    assert "does not exist" not in str(collector.spans)


def test_the_span_of_a_cancelled_request_ends_without_a_response(
    site: Site, collector: Collector
) -> None:
    quick = site.with_settings(MONITORING_SETTINGS={"FLUSH_INTERVAL": 0.5})
    with serving_to(collector, quick, uvicorn()) as server:
        with socket.create_connection(("127.0.0.1", server.client.port)) as client:
            client.sendall(b"GET /async/sleeps/?seconds=30 HTTP/1.1\r\nHost: x\r\n\r\n")
            time.sleep(0.5)
        (cancelled,) = collector.requests(1)
        server.client.get("/plain/")
        counted = wait_until(lambda: endpoints(quick), every=0.5, seconds=20)

    assert cancelled.name == "GET /async/sleeps/"
    assert cancelled.attributes["error.type"] == "CancelledError"
    assert "http.response.status_code" not in cancelled.attributes
    assert cancelled.end - cancelled.start < 15e9
    assert counted == {"/plain/": 1}


@pytest.mark.parametrize(
    ("command", "paths"),
    [
        (gunicorn(workers=1), ["/streams/", "/stream-fails/", "/queries/streams/"]),
        (uvicorn(), ["/streams/", "/stream-fails/", "/async/streams/"]),
    ],
    ids=["gunicorn", "uvicorn"],
)
def test_a_stream_is_counted_once_when_it_ends_however_it_ends(
    site: Site, command: Sequence[str], paths: Sequence[str]
) -> None:
    quick = site.with_settings(MONITORING_SETTINGS={"FLUSH_INTERVAL": 0.5})
    with serving(quick, command) as server:
        server.client.get_all(paths, at_once=1)
        with socket.create_connection(("127.0.0.1", server.client.port)) as client:
            client.sendall(b"GET /streams/?seconds=0.3 HTTP/1.1\r\nHost: x\r\n\r\n")
            client.recv(1)
        expected = dict.fromkeys(paths, 1) | {"/streams/": 2}
        wait_until(
            lambda: endpoints(quick) == expected,
            every=0.5,
            seconds=20,
            what=lambda: str(endpoints(quick)),
        )
        time.sleep(1)
        assert endpoints(quick) == expected


def endpoints(site: Site) -> dict[str, int]:
    summary = ("manage_monitoring", "summary", "--hours", "1", "--format", "json")
    rows = site.manage_json(*summary)["endpoints"]
    return {row["endpoint"]: row["count"] for row in rows}


@pytest.mark.parametrize(
    "command", [gunicorn(workers=1), uvicorn()], ids=lambda c: c[0]
)
def test_a_slow_query_of_a_coroutine_names_the_line_that_awaits_it(
    site: Site, collector: Collector, command: Sequence[str]
) -> None:
    slow = site.with_settings(MONITORING_SETTINGS={"SLOW_QUERY_THRESHOLD": 0})
    with serving_to(collector, slow, command) as server:
        (request,) = ask(server, collector, "/async/n-plus-one/")
        collector.wait_for(11, kind="CLIENT")
        *_, query = collector.queries(request)

    source = (CODE / "library/async_views.py").read_text().splitlines()
    assert query.attributes["code.file.path"] == "library/async_views.py"
    assert "Author.objects.aget" in source[query.attributes["code.line.number"] - 1]
    assert query.attributes["code.function.name"].startswith("n_plus_one")
