from __future__ import annotations

from collections.abc import Iterator
from io import StringIO
from typing import Any

import pytest
from django.core import checks
from django.core.checks.registry import registry
from django.core.management import call_command
from django.db import connection

from prs_otel.instrumentation import database, system_checks
from prs_otel.observation import RequestContext, Thresholds
from prs_otel.request_context import current_request
from tests.support.traces import Traces, tracing

pytestmark = pytest.mark.django_db(databases=["default", "other"])

DJANGOS_OWN = checks.run_checks


def asks_a_database(app_configs: object, **_: Any) -> list[checks.CheckMessage]:
    run("SELECT 1")
    return [checks.Info("asked")]


def run(sql: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql)


@pytest.fixture
def traces(monkeypatch: pytest.MonkeyPatch) -> Iterator[Traces]:
    found = tracing(Thresholds())
    found.set_globally(monkeypatch)
    database.install(thresholds=Thresholds)
    yield found
    database.uninstall()


@pytest.fixture
def _check_that_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    known = registry.registered_checks
    monkeypatch.setattr(registry, "registered_checks", {*known})
    checks.register(asks_a_database)


@pytest.mark.usefixtures("_check_that_asks")
def test_what_system_checks_ask_a_database_is_no_query(traces: Traces) -> None:
    request = RequestContext()
    token = current_request.set(request)

    found = checks.run_checks()
    # As every command does that has not been told to skip them.
    call_command("check", stdout=StringIO(), stderr=StringIO())
    run("SELECT 2")
    current_request.reset(token)

    assert checks.Info("asked") in found
    assert [span.name for span in traces.exported] == ["SELECT"]
    assert request.query_count == 1


def test_djangos_function_is_wrapped_once_and_given_back() -> None:
    system_checks.install()
    wrapped = checks.run_checks
    system_checks.install()

    assert checks.run_checks is wrapped
    assert wrapped is not DJANGOS_OWN

    system_checks.uninstall()
    system_checks.uninstall()

    assert checks.run_checks is DJANGOS_OWN
