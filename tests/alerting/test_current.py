"""The alerts of now: listed, acknowledged, explained."""

from __future__ import annotations

import json
import time
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.http import HttpRequest
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import include, path

import prs_otel
from alerting import explanation
from alerting.api import build_api
from alerting.endpoints.site import Site
from alerting.explanation import explain_rule
from alerting.models import Alert
from alerting.report import STATUS
from alerting.rules import load_rule
from alerting.status import Status
from tests.support.alerting_source import FakeSource
from tests.support.alerting_world import RULE, FakeChannel, World
from tests.support.clock import Clock

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]

BASE = "/api/alerting/"
published: dict[str, bytes | None] = {}


def is_staff(request: HttpRequest) -> User | None:
    user = request.user
    return user if isinstance(user, User) and user.is_staff else None


def status(_: float) -> Status:
    document = published.get(STATUS)
    return Status() if document is None else Status.model_validate_json(document)


api = build_api(Site([is_staff], status, FakeSource, "1.2.3"))
urlpatterns = [path("api/alerting/", include(prs_otel.mounted(api)))]


def get(client: Client, url: str, **query: str | int) -> Any:
    return client.get(f"{BASE}{url}", query).json()


def acknowledge(client: Client, alert: object, body: object = None) -> Any:
    url = f"{BASE}alerts/{alert}/acknowledge/"
    response = client.post(url, json.dumps(body), "application/json")
    return response.status_code, response.json()


def world_of(*values: float, **parts: Any) -> World:
    world = World(**parts)
    for value in values:
        world.step(value)
    published[STATUS] = world.journal.get(STATUS)
    return world


def test_the_alerts_of_now_are_those_that_are_open_the_worst_first(
    admin_client: Client,
) -> None:
    mild = load_rule({**RULE, "name": "mild", "threshold": 0.5})
    over = load_rule({**RULE, "name": "over", "operator": "<", "threshold": 0.6})
    world_of(0.55, 0.95, rules=[mild, over, load_rule(RULE)])

    document = get(admin_client, "alerts/")

    assert [(item["name"], item["severity"]) for item in document["items"]] == [
        ("high_cpu_usage", "critical"),
        ("mild", "warning"),
    ]
    assert document["count"] == 2
    assert len(get(admin_client, "alerts/", limit=1, offset=1)["items"]) == 1


def test_the_history_can_be_narrowed_to_a_state_and_a_rule(
    admin_client: Client,
) -> None:
    clock = Clock(time.time() - 600)
    world_of(0.85, 0.5, rules=[load_rule({**RULE, "name": "over"})], clock=clock)
    world_of(0.85, clock=clock)

    shown = {
        what: [item["name"] for item in get(admin_client, "history/", **query)["items"]]
        for what, query in {
            "firing": {"state": "firing"},
            "resolved": {"state": "resolved"},
            "over": {"name": "over"},
        }.items()
    }

    assert shown == {
        "firing": ["high_cpu_usage"],
        "resolved": ["over"],
        "over": ["over"],
    }
    assert admin_client.get(f"{BASE}history/?state=shouting").status_code == 422


def test_somebody_says_that_he_knows_of_an_alert(admin_client: Client) -> None:
    world_of(0.85)
    alert = Alert.objects.get()

    status, item = acknowledge(admin_client, alert.pk, {"note": "restarting it"})
    again, _ = acknowledge(admin_client, alert.pk)

    assert (status, item["acknowledged_by"], item["acknowledgement"]) == (
        200,
        "admin",
        "restarting it",
    )
    assert item["acknowledged_at"]
    assert again == 200
    assert get(admin_client, "alerts/")["items"][0]["acknowledgement"] is None


def test_what_is_over_or_unknown_cannot_be_acknowledged(admin_client: Client) -> None:
    world_of(0.85, 0.5)

    answers = [
        acknowledge(admin_client, each)[0] for each in (Alert.objects.get().pk, uuid4())
    ]
    wrong, _ = acknowledge(admin_client, uuid4(), {"note": "x" * 501})

    assert answers == [404, 404]
    assert wrong == 422


def test_to_acknowledge_needs_the_permission_to_change_alerts() -> None:
    world_of(0.85)
    user = User.objects.create_user("carl", is_staff=True)
    client = Client()
    client.force_login(user)
    alert = Alert.objects.get().pk
    without, _ = acknowledge(client, alert)
    user.user_permissions.set(Permission.objects.filter(codename="change_alert"))

    assert (without, acknowledge(client, alert)[0]) == (403, 200)


def test_an_alert_is_explained_step_by_step(admin_client: Client) -> None:
    channel = FakeChannel(name="mail")
    channel.fails(times=1)
    deaf = FakeChannel(name="deaf", reason="nobody is to be told")
    world = world_of(0.85, 0.95, channels=[channel, deaf])
    world.deliver(after=3600)
    world.step(0.5)

    document = get(admin_client, "explain/", alert_id=str(Alert.objects.get().pk))

    assert document["alert"]["state"] == "resolved"
    steps = {
        step["kind"]: {
            d["channel"]: (d["state"], d["reason"]) for d in step["deliveries"]
        }
        for step in document["steps"]
    }
    assert list(steps) == ["firing", "escalated", "resolved"]
    assert steps["firing"]["deaf"] == ("skipped", "nobody is to be told")
    assert steps["escalated"]["mail"] == ("sent", "")
    assert steps["resolved"]["deaf"][0] == "skipped"
    [first] = [d for d in document["steps"][0]["deliveries"] if d["channel"] == "mail"]
    assert (first["attempts"], first["last_error"]) == (2, "")


def test_a_rule_is_explained_by_how_it_does_and_its_latest_alerts(
    admin_client: Client,
) -> None:
    world_of(0.85, 0.5, 0.95)

    document = get(admin_client, "explain/", rule="high_cpu_usage")
    unknown = get(admin_client, "explain/", rule="nothing")

    assert document["health"]["health"] == "ok"
    assert [each["alert"]["state"] for each in document["alerts"]] == [
        "firing",
        "resolved",
    ]
    assert unknown == {
        "rule": "nothing",
        "verdict": "there is no rule 'nothing'",
        "reasons": [
            {"step": "rule", "passes": False, "text": "there is no rule 'nothing'"}
        ],
        "health": None,
        "alerts": [],
    }


def test_many_alerts_are_explained_in_as_many_queries_as_one() -> None:
    world = world_of(0.85)
    with CaptureQueriesContext(connection) as for_one:
        explain_rule("high_cpu_usage", Status())
    for _ in range(4):
        world.step(0.5)
        world.step(0.85, after=3600)
    with CaptureQueriesContext(connection) as for_many:
        explained = explain_rule("high_cpu_usage", Status())

    assert [len(each.steps) for each in explained.alerts] == [1, 2, 2, 2, 2]
    assert len(for_many) == len(for_one)


def test_of_an_alert_that_went_on_for_long_the_latest_steps_are_shown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(explanation, "STEPS", 2)
    world_of(0.85, 0.95, 0.5)

    (found,) = explain_rule("high_cpu_usage", Status()).alerts

    assert [step.kind for step in found.steps] == ["escalated", "resolved"]


def test_what_is_to_be_explained_is_one_thing(admin_client: Client) -> None:
    both = {"alert_id": str(uuid4()), "rule": "x"}

    codes = [
        admin_client.get(f"{BASE}explain/", query).status_code
        for query in ({}, both, {"alert_id": str(uuid4())}, {"alert_id": "x"})
    ]

    assert codes == [422, 422, 404, 422]
