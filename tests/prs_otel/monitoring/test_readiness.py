from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from pathlib import Path
from threading import Event
from typing import NoReturn

import pytest
from django.core.cache import caches
from django.db import DatabaseError, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.test import Client, override_settings

from prs_otel import pipeline
from prs_otel.monitoring import readiness as ready
from prs_otel.monitoring.readiness import Check
from prs_otel.monitoring.registry import PackageStatus
from prs_otel.monitoring.schemas import HealthCheck
from tests.support.measured import Measured

pytestmark = [
    pytest.mark.django_db(databases="__all__"),
    pytest.mark.urls("tests.prs_otel.monitoring.mounted"),
]

READY = "/api/monitoring/system/health/?ready=1"
NOW = 1_700_000_000.0
DUMMY = "django.core.cache.backends.dummy.DummyCache"


@pytest.fixture(autouse=True)
def forget() -> Iterator[None]:
    ready.forget()
    yield
    ready.forget()


@pytest.fixture(autouse=True)
def evaluator(monkeypatch: pytest.MonkeyPatch) -> dict[str, object]:
    """Be what alerting says of itself."""
    document: dict[str, object] = {"evaluator": {"is_alive": True}}
    monkeypatch.setattr(
        ready, "requested_status", lambda *_: PackageStatus(document=document)
    )
    return document


def fail(*args: object, **kwargs: object) -> NoReturn:
    raise DatabaseError("password=secret")


def statuses() -> dict[str, str]:
    return {each.name: each.status for each in ready.readiness(now=NOW).checks}


def test_who_has_everything_is_ready(staff_client: Client, served: Measured) -> None:
    served.flush()

    response = staff_client.get(READY)

    assert (response.status_code, response.json()["status"]) == (200, "healthy")
    names = [check["name"] for check in response.json()["checks"]]
    assert names == ["database", "database:other", *ready.CHECKS]


def test_without_its_cache_it_is_503_and_quotes_nothing(
    client: Client,
    staff_client: Client,
    served: Measured,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    served.flush()
    monkeypatch.setitem(ready.CHECKS, "cache", Check(fail, "unhealthy"))

    public, detailed = client.get(READY), staff_client.get(READY)

    assert (public.status_code, public.json()) == (503, {"status": "unhealthy"})
    assert detailed.status_code == client.head(READY).status_code == 503
    assert "secret" not in detailed.content.decode()
    assert client.get(READY.partition("?")[0]).status_code == 200


def test_a_cache_that_keeps_nothing_is_unhealthy(
    served: Measured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(caches["default"]), "touch", lambda *_, **__: False)

    assert statuses()["cache"] == "unhealthy"


@pytest.mark.usefixtures("served")
def test_a_cache_that_is_meant_to_keep_nothing_is_healthy() -> None:
    with override_settings(CACHES={"default": {"BACKEND": DUMMY}}):
        assert statuses()["cache"] == "healthy"


@pytest.mark.usefixtures("served")
def test_a_project_without_a_database_is_asked_for_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    none = {"default": {"ENGINE": "django.db.backends.dummy"}}
    monkeypatch.setattr(connections, "settings", none)

    assert [name for name in statuses() if name.startswith("database")] == []


@pytest.mark.usefixtures("served")
def test_a_further_database_that_does_not_answer_only_degrades(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    gone = {**connections.settings["default"], "NAME": tmp_path / "gone" / "none.db"}
    settings = {**connections.settings, "archive": gone}
    monkeypatch.setattr(connections, "settings", settings)

    found = statuses()

    assert (found["database"], found["database:archive"]) == ("healthy", "degraded")


def test_all_checks_together_are_waited_for_two_seconds() -> None:
    assert ready.DEADLINE == 2.0


@pytest.mark.usefixtures("served")
def test_a_default_cache_that_fails_is_unhealthy(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(type(caches["default"]), "set", fail)

    assert statuses()["cache"] == "unhealthy"


@pytest.mark.usefixtures("served")
def test_no_connection_to_a_database_is_left_open(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    closed: list[str] = []
    wrapper = type(connections["other"])
    real = wrapper.close

    def close(connection: BaseDatabaseWrapper) -> None:
        closed.append(connection.alias)
        real(connection)

    monkeypatch.setattr(wrapper, "close", close)
    ready.check_database("other", "database:other", NOW)

    assert closed == ["other"]


@pytest.mark.usefixtures("served")
def test_a_child_checks_anew() -> None:
    ready.readiness(now=NOW)
    reader, writer = os.pipe()
    with warnings.catch_warnings():
        # That there are threads, of which the child has none, is what this is about.
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:
        os.write(writer, str(len(ready._asked)).encode())
        os._exit(0)
    os.waitpid(child, 0)

    assert (os.read(reader, 10), len(ready._asked)) == (b"0", 5)


def test_a_database_that_hangs_is_waited_for_once_and_asked_once(
    monkeypatch: pytest.MonkeyPatch, served: Measured
) -> None:
    served.flush()
    asked: list[float] = []
    answers = Event()

    def hang(now: float) -> HealthCheck:
        asked.append(now)
        answers.wait(30)
        return HealthCheck(name="cache", status="healthy", detail="")

    monkeypatch.setattr(ready, "DEADLINE", 0.05)
    monkeypatch.setitem(ready.CHECKS, "cache", Check(hang, "unhealthy"))
    waited = [ready.readiness(now=NOW + later).checks for later in (0, 1, 60)]
    answers.set()

    told = [check for checks in waited for check in checks if check.name == "cache"]
    assert {(check.status, check.detail) for check in told} == {
        ("unhealthy", "no answer within 0.05 s")
    }
    assert asked == [NOW]


def test_the_troubles_of_the_monitor_only_degrade(
    client: Client,
    served: Measured,
    evaluator: dict[str, object],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    evaluator["evaluator"] = {"is_alive": False}
    monkeypatch.setattr(served.view.store, "reading", fail)

    response = client.get(READY)

    assert (response.status_code, response.json()) == (200, {"status": "degraded"})
    assert (statuses()["store"], statuses()["evaluator"]) == ("degraded", "degraded")


@pytest.mark.usefixtures("served")
def test_a_monitor_switched_off_is_degraded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipeline, "is_enabled", lambda: False)

    assert statuses()["store"] == "degraded"


@pytest.mark.usefixtures("served")
def test_without_alerting_nobody_has_to_evaluate(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ready, "requested_status", lambda *_: None)

    assert "evaluator" not in statuses()


def test_a_firing_alert_makes_nothing_unhealthy(
    client: Client, served: Measured, evaluator: dict[str, object]
) -> None:
    served.flush()
    evaluator["firing"] = [{"name": "high_cpu_usage", "severity": "critical"}]

    assert client.get(READY).json() == {"status": "healthy"}


def test_what_was_checked_is_told_again_for_a_few_seconds(
    served: Measured, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[float] = []

    def check(now: float) -> HealthCheck:
        asked.append(now)
        return HealthCheck(name="cache", status="healthy", detail="")

    monkeypatch.setitem(ready.CHECKS, "cache", Check(check, "unhealthy"))
    for now in (NOW, NOW + 4, NOW + 6):
        ready.readiness(now=now)

    assert asked == [NOW, NOW + 6]


@pytest.mark.usefixtures("served")
def test_readiness_is_asked_for_with_yes_or_no(client: Client) -> None:
    assert client.get(READY.replace("=1", "=perhaps")).status_code == 422
