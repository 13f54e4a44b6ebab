from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.apps import apps
from django.test import override_settings

from prs_otel.diagnosis import configuration
from prs_otel.diagnosis.finding import Finding
from tests.support.surroundings import alone, server, surroundings

OURS = "library.settings"
WSGI = "library.wsgi.application"


@pytest.fixture(autouse=True)
def _named() -> Iterator[None]:
    with override_settings(SETTINGS_MODULE=OURS):
        yield


def wrong(found: object) -> list[Finding]:
    assert isinstance(found, list)
    return [each for each in found if each.level != "ok"]


def test_an_ordinary_project_is_well() -> None:
    found = list(configuration.examine(surroundings()))

    assert [each.level for each in found] == ["ok", "ok"]
    assert OURS in found[0].message


def test_a_project_that_is_switched_off_measures_nothing() -> None:
    (only,) = wrong(list(configuration.examine(alone(is_enabled=False))))

    assert only.level == "critical"
    assert 'MONITORING_SETTINGS["ENABLED"] is False' in only.message


@override_settings(MONITORING_SETTINGS={"FLUSH_INTERVALL": 1}, SETTINGS_MODULE=OURS)
def test_a_mistake_in_the_settings_has_its_hint() -> None:
    (only,) = wrong(list(configuration.examine(surroundings())))

    assert "FLUSH_INTERVALL" in only.message
    assert "FLUSH_INTERVAL" in only.remedy


@override_settings(
    MIDDLEWARE=["prs_otel.PerformanceMonitoringMiddleware"] * 2, SETTINGS_MODULE=OURS
)
def test_middleware_that_is_named_twice_is_a_finding() -> None:
    (only,) = wrong(list(configuration.examine(surroundings())))

    assert only.level == "warning"
    assert "PerformanceMonitoringMiddleware" in only.message


@override_settings(WSGI_APPLICATION=WSGI, SETTINGS_MODULE=OURS)
def test_the_module_that_a_server_would_use_is_compared() -> None:
    assert wrong(list(configuration.examine(alone()))) == []

    with override_settings(SETTINGS_MODULE="library.development"):
        (only,) = wrong(list(configuration.examine(alone())))

    assert only.level == "warning"
    assert "runs with library.development, but library.wsgi names library.settings" in (
        only.message
    )
    assert "DJANGO_SETTINGS_MODULE=library.settings" in only.remedy


@override_settings(WSGI_APPLICATION=WSGI, SETTINGS_MODULE=OURS)
def test_the_module_that_a_server_does_use_counts_more() -> None:
    environment = {"DJANGO_SETTINGS_MODULE": "library.production"}
    servers = (server(environment=environment),)

    (only,) = wrong(list(configuration.examine(alone(servers=servers))))

    assert "gunicorn (process 3999) names library.production" in only.message


def test_settings_that_share_a_store_agree_where_it_matters() -> None:
    environment = {"DJANGO_SETTINGS_MODULE": "library.production"}

    found = configuration.examine(
        surroundings(servers=(server(environment=environment),))
    )

    assert wrong(list(found)) == []


@pytest.mark.parametrize(
    "application", [None, "no_such_package.wsgi.application", "sys.application"]
)
def test_an_application_that_names_no_settings_is_nothing_to_compare(
    application: str | None,
) -> None:
    with override_settings(WSGI_APPLICATION=application, SETTINGS_MODULE=OURS):
        assert wrong(list(configuration.examine(alone()))) == []


def test_without_alerting_nobody_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apps, "is_installed", lambda name: name != "alerting")

    (only,) = wrong(list(configuration.examine(surroundings())))

    assert 'Add "alerting" to INSTALLED_APPS' in only.remedy
