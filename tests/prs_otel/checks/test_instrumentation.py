from __future__ import annotations

import sys
from collections.abc import Iterator
from types import ModuleType

import pytest
from django.conf import settings
from django.test import override_settings
from opentelemetry.instrumentation.psycopg import PsycopgInstrumentor
from opentelemetry.instrumentation.sqlite3 import SQLite3Instrumentor

from prs_otel import checks
from prs_otel.checks.finding import ASGI, DRIVER

PART = "opentelemetry.instrumentation.asgi"


@pytest.fixture
def _without_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, PART, None)


@pytest.fixture
def _instrumented_drivers() -> Iterator[None]:
    instrumentors = (SQLite3Instrumentor(), PsycopgInstrumentor())
    for each in instrumentors:
        each.instrument(skip_dep_check=True)
    yield
    for each in instrumentors:
        each.uninstrument()


def test_asgi_with_its_extra_is_fine() -> None:
    with override_settings(ASGI_APPLICATION="site.asgi.application"):
        assert checks.findings() == []


@pytest.mark.usefixtures("_without_the_extra")
def test_asgi_without_its_extra_is_not_measured() -> None:
    with override_settings(ASGI_APPLICATION="site.asgi.application"):
        [finding] = checks.findings()

    assert finding.id == ASGI
    assert finding.message.startswith(f"ASGI_APPLICATION is set, but {PART} is not")
    assert "pip install 'opentelemetry-instrumentation-django[asgi]'" in finding.hint


def test_an_extra_that_is_broken_is_as_good_as_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # What is left behind by an import that has failed half-way.
    monkeypatch.setitem(sys.modules, PART, ModuleType(PART))
    with override_settings(ASGI_APPLICATION="site.asgi.application"):
        assert [finding.id for finding in checks.findings()] == [ASGI]


@pytest.mark.usefixtures("_without_the_extra")
def test_a_server_in_the_installed_apps_is_asgi_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(
        settings, "INSTALLED_APPS", [*settings.INSTALLED_APPS, "daphne"]
    )

    [finding] = checks.findings()

    assert finding.id == ASGI
    assert "INSTALLED_APPS has 'daphne'" in finding.message


@pytest.mark.usefixtures("_without_the_extra")
def test_without_asgi_nobody_needs_the_extra() -> None:
    assert checks.findings() == []


@pytest.mark.usefixtures("_without_the_extra")
def test_what_is_not_to_be_traced_needs_no_extra(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OTEL_PYTHON_DISABLED_INSTRUMENTATIONS", "django")
    with override_settings(ASGI_APPLICATION="site.asgi.application"):
        assert checks.findings() == []


@pytest.mark.usefixtures("_instrumented_drivers")
def test_a_driver_with_an_instrumentor_of_its_own_is_found() -> None:
    found = checks.findings()

    assert [finding.id for finding in found] == [DRIVER, DRIVER]
    assert "opentelemetry-instrumentation-psycopg too" in found[0].message
    assert "instrument() of sqlite3's instrumentor" in found[1].hint


def test_an_instrumentor_that_is_only_installed_is_fine() -> None:
    assert PsycopgInstrumentor().is_instrumented_by_opentelemetry is False
    assert checks.findings() == []
