"""The same tables in each database that the query tests run on, and who observes them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pytest_django import DjangoDbBlocker

from prs_otel.instrumentation import database as instrumentation
from prs_otel.observation import RequestContext, Thresholds
from prs_otel.request_context import current_request
from tests.support.databases import Database, library_tables, registered
from tests.support.mariadb import mariadb
from tests.support.postgres import postgres
from tests.support.traces import (
    Traces,
    close_connections_of_other_threads,
    tracing,
)

N_PLUS_ONE = 3


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[dict[str, object]]:
    with postgres() as entry:
        yield entry


@pytest.fixture(scope="session")
def mariadb_server() -> Iterator[dict[str, object]]:
    with mariadb() as entry:
        yield entry


@pytest.fixture(scope="module", params=["sqlite", "postgresql", "mariadb"])
def database(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    django_db_blocker: DjangoDbBlocker,
) -> Iterator[Database]:
    """Return a database of each kind; a module may choose by parametrising it."""
    system: str = request.param
    entry: dict[str, Any]
    if system == "sqlite":
        file: Path = tmp_path_factory.mktemp("sqlite") / "library.sqlite3"
        entry = {"ENGINE": "django.db.backends.sqlite3", "NAME": str(file)}
    else:
        entry = request.getfixturevalue(f"{system}_server")
    with (
        django_db_blocker.unblock(),
        registered(system, entry) as found,
        library_tables(found),
    ):
        yield found


@pytest.fixture
def thresholds() -> list[Thresholds]:
    """Return a list whose only item is what holds; a test may replace it."""
    return [Thresholds(n_plus_one_count=N_PLUS_ONE)]


@pytest.fixture
def remembered() -> dict[str, str]:
    """Return the sanitised texts that are remembered, by their fingerprints."""
    return {}


@pytest.fixture
def traces(
    database: Database,
    monkeypatch: pytest.MonkeyPatch,
    thresholds: list[Thresholds],
    remembered: dict[str, str],
) -> Iterator[Traces]:
    """Observe the queries of the test, on tables that are empty."""
    database.books.all().delete()
    database.authors.all().delete()
    found = tracing(thresholds[0])
    found.set_globally(monkeypatch)
    instrumentation.install(
        thresholds=lambda: thresholds[0], remember=remembered.__setitem__
    )
    yield found
    instrumentation.uninstall()
    close_connections_of_other_threads()
    database.connection.close()


@pytest.fixture
def request_context() -> Iterator[RequestContext]:
    """Return the request that the test's queries belong to."""
    found = RequestContext()
    token = current_request.set(found)
    yield found
    current_request.reset(token)
