from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest
from django.contrib.auth.models import User
from django.test import Client, override_settings

from prs_otel import conf
from prs_otel.plan import Plan
from prs_otel.rollup.compaction import Compactor
from tests.prs_otel.monitoring.test_api_permissions import bearer
from tests.support.measured import Measured
from tests.support.scraped import OPENMETRICS, value

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.urls("tests.prs_otel.monitoring.mounted"),
    pytest.mark.usefixtures("served"),
]

PATH = "/api/monitoring/metrics/"
ROUTE = {"http_route": "/deals/", "http_request_method": "GET"}
COUNT = "http_server_request_duration_seconds_count"


@pytest.fixture
def _switched_on() -> Iterator[None]:
    with override_settings(MONITORING_SETTINGS={"SCRAPE_ENDPOINT": True}):
        yield


def scrape(client: Client) -> str:
    response = client.get(PATH, headers={"Accept": OPENMETRICS})
    assert response.status_code == 200, response.content
    return response.content.decode()


def merge(measured: Measured) -> None:
    """Have everything merged by a leader who keeps no lifetime."""
    store = measured.view.store
    plan = Plan(5.0, 15.0, 86_400.0, 100, 128_000_000, "/")
    now = measured.now + 60
    lease = store.acquire("leader", holder="w", host="h", pid=1, ttl=1e-9, now=now)
    assert lease is not None
    list(Compactor.of(store, plan).compact(now=now, epoch=lease.epoch))


def test_it_is_off_unless_it_is_switched_on(staff_client: Client) -> None:
    response = staff_client.get(PATH)

    assert response.status_code == 404
    assert "SCRAPE_ENDPOINT" in response.json()["detail"]


@pytest.mark.usefixtures("_switched_on")
def test_staff_are_told_what_was_counted(
    staff_client: Client, served: Measured
) -> None:
    served.request()
    served.flush()

    assert value(scrape(staff_client), COUNT, **ROUTE) == 1


@pytest.mark.usefixtures("_switched_on")
def test_a_token_is_enough(client: Client, staff: User) -> None:
    assert client.get(PATH, headers=bearer(staff)).status_code == 200


@pytest.mark.usefixtures("_switched_on")
def test_others_are_not_let_in(
    client: Client, alice_client: Client, alice: User
) -> None:
    assert client.get(PATH).status_code == 401
    assert alice_client.get(PATH).status_code == 403
    assert client.get(PATH, headers=bearer(alice)).status_code == 403


@pytest.mark.usefixtures("_switched_on")
def test_it_is_for_nobodys_cache(staff_client: Client) -> None:
    response = staff_client.get(PATH)

    assert response.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    assert "no-store" in response.headers["Cache-Control"]
    assert "ETag" not in response.headers
    assert "Accept" in response.headers["Vary"]


@pytest.mark.usefixtures("_switched_on")
def test_who_comes_too_early_is_asked_to_come_again(
    staff_client: Client, served: Measured
) -> None:
    served.request()
    served.flush()
    merge(served)

    response = staff_client.get(PATH)

    assert response.status_code == 503
    assert response.headers["Retry-After"] == "10"
    assert "being added up" in response.json()["detail"]


@pytest.mark.usefixtures("_switched_on")
def test_without_its_library_it_says_what_to_install(
    staff_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "prs_otel.scrape.exposition", raising=False)
    monkeypatch.setitem(sys.modules, "prometheus_client.core", None)

    response = staff_client.get(PATH)

    assert response.status_code == 503
    assert "pip install 'prs-otel[prometheus]'" in response.json()["detail"]


def test_it_is_documented(staff_client: Client) -> None:
    document = staff_client.get("/api/monitoring/openapi.json").json()

    responses = document["paths"][PATH]["get"]["responses"]
    assert responses.keys() == {"200", "401", "403", "404", "503"}
    assert responses["200"]["content"].keys() == {
        "text/plain",
        "application/openmetrics-text",
    }


@pytest.mark.usefixtures("_switched_on")
def test_the_settings_say_whether_a_lifetime_is_kept() -> None:
    assert Plan.of(conf.current(), directory="/").keeps_lifetime
