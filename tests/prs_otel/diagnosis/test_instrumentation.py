from __future__ import annotations

import sys
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from django.test import override_settings
from opentelemetry.instrumentation.sqlite3 import SQLite3Instrumentor

from prs_otel import circumstances
from prs_otel.circumstances import INSTRUMENTOR, LAUNCHED
from prs_otel.diagnosis import instrumentation
from prs_otel.diagnosis.finding import Finding
from tests.support.surroundings import alone, beat, server, surroundings


def found(**changes: Any) -> list[Finding]:
    return list(instrumentation.examine(surroundings(**changes)))


@pytest.fixture
def second_spans() -> Iterator[None]:
    """Instrument the driver beside us, as a project's settings may."""
    SQLite3Instrumentor().instrument()
    yield
    SQLite3Instrumentor().uninstrument()


def test_who_measures_as_usual_is_told_nothing() -> None:
    assert found() == []


@pytest.mark.usefixtures("second_spans")
def test_a_driver_that_is_instrumented_beside_us_is_named() -> None:
    (only,) = found()

    assert only.level == "warning"
    assert "the driver sqlite3 is switched on beside ours" in only.message
    assert "opentelemetry-instrumentation-sqlite3" in only.remedy


@pytest.mark.usefixtures("second_spans")
def test_a_worker_tells_of_it_too() -> None:
    assert circumstances.figures()[f"{INSTRUMENTOR}sqlite3"] == 1.0


def test_a_driver_of_a_worker_is_named_where_this_process_has_none() -> None:
    (only,) = found(beats=(beat(figures={f"{INSTRUMENTOR}psycopg": 1.0}),))

    assert "the driver psycopg" in only.message


def test_a_process_says_whether_it_was_launched(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    launcher = "opentelemetry.instrumentation.auto_instrumentation._load"
    monkeypatch.delitem(sys.modules, launcher, raising=False)
    assert circumstances.figures()[LAUNCHED] == 0.0

    monkeypatch.setitem(sys.modules, launcher, sys)
    assert circumstances.figures()[LAUNCHED] == 1.0


def test_under_the_launcher_all_is_well() -> None:
    (only,) = found(beats=(beat(figures={LAUNCHED: 1.0}),))

    assert (only.level, only.remedy) == ("ok", "")


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let one instrumentation be installed that is not ours, beside some that are."""
    names = ("celery", "django", "httpx", "sqlite3")
    points = [SimpleNamespace(name=name) for name in names]
    monkeypatch.setattr(instrumentation, "entry_points", lambda group: points)


@pytest.mark.usefixtures("installed")
def test_without_the_launcher_what_it_would_run_is_named() -> None:
    (only,) = found(beats=(beat(figures={LAUNCHED: 0.0}),))

    assert only.level == "warning"
    assert "do not: httpx." in only.message


@pytest.mark.usefixtures("installed")
def test_without_the_launcher_all_is_well_where_it_would_run_nothing() -> None:
    environment = {"OTEL_PYTHON_DISABLED_INSTRUMENTATIONS": "httpx"}

    (only,) = found(beats=(beat(figures={LAUNCHED: 0.0}),), environment=environment)

    assert only.level == "ok"


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("OTEL_SDK_DISABLED", "true"),
        ("OTEL_PYTHON_DISABLED_INSTRUMENTATIONS", "celery, django"),
        ("OTEL_PYTHON_DISABLED_INSTRUMENTATIONS", "*"),
    ],
)
def test_what_switches_measuring_off_is_named(variable: str, value: str) -> None:
    (only,) = found(environment={variable: value})

    assert only.level == "critical"
    assert variable in only.message


def test_the_environment_of_the_server_is_the_one_that_counts() -> None:
    environment = {"OTEL_SDK_DISABLED": "true"}

    assert found(servers=(server(environment=environment),))
    assert not found(
        servers=(server(environment={"HOME": "/"}),), environment=environment
    )


@pytest.mark.parametrize(
    ("application", "program", "level"),
    [
        (None, "gunicorn", "warning"),
        ("library.asgi.application", "gunicorn", "critical"),
        (None, "uvicorn", "critical"),
    ],
)
def test_without_its_extra_asgi_is_not_measured(
    application: str | None,
    program: str,
    level: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, instrumentation.ASGI, None)

    with override_settings(ASGI_APPLICATION=application):
        (only,) = found(servers=(server(program=program),))

    assert only.level == level
    assert "[asgi]" in only.remedy


def test_a_module_is_looked_for_without_being_imported() -> None:
    assert instrumentation.is_importable("json")
    assert not instrumentation.is_importable("no_such_package.module")


def test_nobody_who_reports_says_how_he_was_started() -> None:
    assert list(instrumentation.examine(alone())) == []
