from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any, NoReturn

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest
from django.test import Client, override_settings
from django.urls import include, path

import prs_otel
from alerting import documents
from alerting.api import build_api
from alerting.documents import Selection
from alerting.endpoints.site import Site
from alerting.report import STATUS
from alerting.status import Status
from tests.support.alerting_source import FakeSource
from tests.support.alerting_world import World
from tests.support.clock import Clock


def is_staff(request: HttpRequest) -> User | None:
    user = request.user
    return user if isinstance(user, User) and user.is_staff else None


published: dict[str, bytes | None] = {}


def status(now: float) -> Status:
    return documents.status(
        published.get(STATUS), known_rules=["high_cpu_usage", "mine"], now=now
    )


api = build_api(Site([is_staff], status, FakeSource, "1.2.3"))
urlpatterns = [path("api/alerting/", include(prs_otel.mounted(api)))]


@pytest.fixture(autouse=True)
def _mounted() -> Iterator[None]:
    published.clear()
    with override_settings(ROOT_URLCONF=__name__):
        yield


@pytest.fixture
def client(admin_client: Client) -> Client:
    return admin_client


@pytest.fixture
def staff_client(db: None) -> Client:
    client = Client()
    client.force_login(User.objects.create_user("staff", is_staff=True))
    return client


def get(client: Client, url: str, **query: str | int) -> Any:
    response = client.get(f"/api/alerting/{url}", query)
    return json.loads(response.content)


def world_of(*values: float, ago: float = 3600.0) -> World:
    world = World(clock=Clock(time.time() - ago))
    for value in values:
        world.step(value)
    return world


def test_an_alert_has_the_fields_of_the_documentation(client: Client) -> None:
    world_of(0.95, 0.5)

    document = get(client, "history/")

    [item] = document["items"]
    assert document["count"] == 1
    assert set(item) == {
        "id",
        "name",
        "severity",
        "state",
        "labels",
        "value",
        "threshold",
        "message",
        "evidence",
        "started_at",
        "fired_at",
        "resolved_at",
        "acknowledged_at",
        "acknowledged_by",
        "acknowledgement",
    }
    assert (item["name"], item["severity"], item["state"]) == (
        "high_cpu_usage",
        "critical",
        "resolved",
    )
    assert (item["value"], item["threshold"], item["labels"]) == (0.95, 0.9, {})
    assert item["resolved_at"].endswith("Z")


def test_an_alert_that_fires_has_not_been_resolved(client: Client) -> None:
    world_of(0.85)

    [item] = get(client, "history/")["items"]

    assert (item["state"], item["resolved_at"]) == ("firing", None)


def test_the_history_is_what_was_open_within_the_hours(client: Client) -> None:
    world_of(0.85, 0.5, ago=7200)

    assert get(client, "history/", hours=1)["count"] == 0
    assert get(client, "history/", hours=3)["count"] == 1


def test_the_history_can_be_narrowed_to_a_severity(client: Client) -> None:
    world_of(0.95, 0.5)

    assert get(client, "history/", severity="critical")["count"] == 1
    assert get(client, "history/", severity="warning")["count"] == 0


def test_the_history_comes_in_pages_the_newest_first(client: Client) -> None:
    world_of(0.85, 0.5, 0.95, 0.5, 0.85, 0.5)

    page = get(client, "history/", limit=2, offset=1)

    assert page["count"] == 3
    assert [item["severity"] for item in page["items"]] == ["critical", "warning"]


def test_what_has_not_changed_is_not_sent_again(client: Client) -> None:
    url = "/api/alerting/alerts/"
    first = client.get(url)

    again = client.get(url, headers={"If-None-Match": first["ETag"]})
    told = client.get(url, headers={"If-None-Match": '"of something else"'})

    assert (again.status_code, again.content) == (304, b"")
    assert (told.status_code, told.content) == (200, first.content)


def test_the_summary_counts_by_what_alerts_are(client: Client) -> None:
    world = world_of(0.95, 0.5)
    world.step(0.85)

    summary = get(client, "summary/", hours=2)

    assert (summary["hours"], summary["count"]) == (2, 2)
    assert summary["by_severity"] == {"critical": 1, "warning": 1}
    assert summary["by_state"] == {"firing": 1, "resolved": 1}
    assert summary["by_rule"] == {"high_cpu_usage": 2}
    assert summary["start"] < summary["end"]


@pytest.mark.parametrize(
    "query",
    [
        "hours=0",
        "hours=-1",
        "hours=8761",
        "hours=nan",
        "hours=inf",
        "hours=soon",
        "severity=urgent",
        "limit=0",
        "limit=1001",
        "offset=-1",
    ],
)
def test_a_question_that_makes_no_sense_is_refused(client: Client, query: str) -> None:
    response = client.get(f"/api/alerting/history/?{query}")

    assert response.status_code == 422
    [problem] = json.loads(response.content)["detail"]
    assert problem["loc"][-1] == query.partition("=")[0]


@pytest.mark.django_db
@pytest.mark.parametrize(
    "url", ["history/", "summary/", "status/", "openapi.json", "docs/"]
)
def test_who_may_not_read_is_refused(url: str) -> None:
    response = Client().get(f"/api/alerting/{url}")

    assert response.status_code == 401
    assert json.loads(response.content) == {"detail": "Unauthorized"}


def test_an_unknown_path_is_not_found(client: Client) -> None:
    response = client.get("/api/alerting/nothing/")

    assert response.status_code == 404
    assert json.loads(response.content) == {"detail": "Not Found"}


def test_what_can_only_be_read_is_not_written(client: Client) -> None:
    response = client.post("/api/alerting/history/")

    assert (response.status_code, response.headers["Allow"]) == (405, "GET")
    assert json.loads(response.content) == {"detail": "Method Not Allowed"}


def test_the_status_names_the_evaluator(client: Client) -> None:
    world = world_of(0.95, ago=10)
    published[STATUS] = world.journal.get(STATUS)

    document = get(client, "status/")

    evaluator = document["evaluator"]
    assert (evaluator["host"], evaluator["pid"]) == ("web1", 42)
    assert evaluator["is_alive"]
    assert document["firing"] == {"critical": 1}
    assert document["rules"][0]["health"] == "ok"
    assert document["rules"][0]["text"].startswith("avg(system.cpu.utilization[5m])")
    assert document["channels"][0]["name"] == "fake"
    assert document["unevaluated_rules"] == ["mine"]


def test_the_text_of_a_rule_needs_the_permission_to_read_rules(
    staff_client: Client,
) -> None:
    published[STATUS] = world_of(0.5, ago=10).journal.get(STATUS)

    [rule] = get(staff_client, "status/")["rules"]

    assert (rule["name"], rule["health"], rule["text"]) == (
        "high_cpu_usage",
        "ok",
        None,
    )


def test_who_has_the_permission_to_read_rules_sees_their_texts(
    staff_client: Client,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    published[STATUS] = world_of(0.5, ago=10).journal.get(STATUS)
    may = {"prs_alerting.view_storedrule"}
    monkeypatch.setattr(User, "has_perm", lambda _, name: name in may)

    [rule] = get(staff_client, "status/")["rules"]

    assert rule["text"].startswith("avg(system.cpu.utilization[5m])")


def test_users_without_permissions_may_not_read_rules(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    published[STATUS] = world_of(0.5, ago=10).journal.get(STATUS)
    monkeypatch.setattr(User, "has_perm", None)

    assert get(client, "status/")["rules"][0]["text"] is None


def test_an_evaluator_that_is_silent_is_not_alive(client: Client) -> None:
    published[STATUS] = world_of(0.5, ago=600).journal.get(STATUS)

    assert not get(client, "status/")["evaluator"]["is_alive"]


def test_before_the_first_evaluation_there_is_no_evaluator(client: Client) -> None:
    document = get(client, "status/")

    assert document["evaluator"] is None
    assert document["unevaluated_rules"] == ["high_cpu_usage", "mine"]


def test_a_status_without_evaluator_is_one_too() -> None:
    found = documents.status(b"{}", known_rules=[], now=0.0)

    assert found == Status()


@pytest.mark.parametrize("error", [OperationalError, InterfaceError])
def test_a_database_that_is_down_is_said_so(
    client: Client, monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    def fail(*_: object, **__: object) -> NoReturn:
        raise error("connection already closed")

    monkeypatch.setattr(documents, "history", fail)

    response = client.get("/api/alerting/history/")

    assert response.status_code == 503
    assert "cannot be read" in json.loads(response.content)["detail"]


def test_the_schema_describes_every_endpoint_and_its_answers(client: Client) -> None:
    document = get(client, "openapi.json")

    assert (document["info"]["title"], document["info"]["version"]) == (
        "Alerting",
        "1.2.3",
    )
    assert set(document["paths"]) == {
        "/api/alerting/history/",
        "/api/alerting/summary/",
        "/api/alerting/status/",
        "/api/alerting/rules/",
        "/api/alerting/rules/changes/",
        "/api/alerting/webhook/",
        "/api/alerting/rules/test/",
        "/api/alerting/alerts/",
        "/api/alerting/alerts/{alert_id}/acknowledge/",
        "/api/alerting/explain/",
        "/api/alerting/silences/",
        "/api/alerting/silences/{silence_id}/",
    }
    for methods in document["paths"].values():
        for operation in methods.values():
            answers = set(operation["responses"])
            assert {"401", "403", "503"} <= answers
            assert answers & {"200", "201", "202"}


def test_the_docs_page_has_what_it_needs(client: Client) -> None:
    page = client.get("/api/alerting/docs/").content.decode()

    assert "<title>Alerting</title>" in page
    assert client.get("/api/alerting/docs/swagger-ui.css").status_code == 200


@pytest.mark.django_db(transaction=True)
def test_without_its_tables_the_api_says_so() -> None:
    client = Client()
    client.force_login(User.objects.create_superuser("root"))
    call_command("migrate", "prs_alerting", "zero", verbosity=0)
    try:
        response = client.get("/api/alerting/history/")
    finally:
        call_command("migrate", "prs_alerting", verbosity=0)

    assert response.status_code == 503
    assert "has the database been migrated?" in json.loads(response.content)["detail"]


@pytest.mark.django_db
@pytest.mark.parametrize("use_tz", [True, False])
def test_times_are_utc_whatever_the_project_has(use_tz: bool) -> None:
    with override_settings(USE_TZ=use_tz, TIME_ZONE="America/New_York"):
        world = World(clock=Clock())
        world.step(0.85)
        [item] = documents.history(Selection(), now=world.clock.now).items

    assert item.fired_at.timestamp() == world.clock.now
    assert item.fired_at.utcoffset() is not None
