from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import Permission, User
from django.http import HttpRequest
from django.test import Client
from django.urls import include, path

import prs_otel
from alerting import stored_silences
from alerting.api import build_api
from alerting.endpoints.site import Site
from alerting.models import StoredSilence
from alerting.status import Status
from tests.support.alerting_source import FakeSource

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]

URL = "/api/alerting/silences/"


def is_staff(request: HttpRequest) -> User | None:
    user = request.user
    return user if isinstance(user, User) and user.is_staff else None


api = build_api(Site([is_staff], lambda _: Status(), FakeSource, "1.2.3"))
urlpatterns = [path("api/alerting/", include(prs_otel.mounted(api)))]


def later(**amount: float) -> str:
    return (datetime.now(UTC) + timedelta(**amount)).isoformat()


def wanted(**fields: Any) -> dict[str, Any]:
    return {
        "matchers": {"alertname": "high_cpu_usage"},
        "ends_at": later(hours=1),
        "comment": "moving house",
        **fields,
    }


def post(client: Client, body: object) -> Any:
    response = client.post(URL, json.dumps(body), "application/json")
    return response.status_code, response.json()


def test_a_silence_is_made_listed_and_ended(admin_client: Client) -> None:
    status, made = post(admin_client, wanted())
    listed = admin_client.get(URL).json()
    ended = admin_client.delete(f"{URL}{made['id']}/")
    again = admin_client.delete(f"{URL}{made['id']}/")

    assert (status, made["author"], made["is_active"]) == (201, "admin", True)
    assert made["matchers"] == [
        {"name": "alertname", "operator": "=", "value": "high_cpu_usage"}
    ]
    assert listed == {"items": [made], "count": 1}
    assert (ended.status_code, ended.json()) == (200, {"id": made["id"]})
    assert again.status_code == 404


def test_what_has_ended_is_listed_apart(admin_client: Client) -> None:
    _, made = post(admin_client, wanted())
    admin_client.delete(f"{URL}{made['id']}/")

    over = admin_client.get(URL, {"over": 1}).json()

    assert admin_client.get(URL).json()["count"] == 0
    assert [(each["id"], each["is_active"]) for each in over["items"]] == [
        (made["id"], False)
    ]


def test_a_silence_to_come_is_no_trace_once_it_is_ended(admin_client: Client) -> None:
    _, made = post(admin_client, wanted(starts_at=later(minutes=30)))
    admin_client.delete(f"{URL}{made['id']}/")

    assert made["is_active"] is False
    assert not StoredSilence.objects.exists()


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        (
            {"ends_at": "2020-01-02T00:00:00Z", "starts_at": "2020-01-01T00:00:00Z"},
            "is over",
        ),
        ({"matchers": {}}, "matchers"),
        ({"comment": "x" * 501}, "comment"),
        ({"author": "somebody else"}, "author is not yours to write"),
        ({"id": str(uuid4())}, "id is not yours to write"),
        ({"ends_at": "soon"}, "ends_at"),
    ],
)
def test_a_mistake_is_refused_in_words(
    admin_client: Client, fields: dict[str, Any], expected: str
) -> None:
    status, refused = post(admin_client, wanted(**fields))

    assert status == 422
    assert expected in refused["detail"][0]["msg"]
    assert not StoredSilence.objects.exists()


def test_there_may_be_only_so_many(
    admin_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stored_silences, "LIMIT", 1)
    answers = [post(admin_client, wanted())[0] for _ in range(2)]

    assert answers == [201, 409]


@pytest.mark.parametrize(
    ("permission", "allowed"),
    [
        ("view_storedsilence", {"list"}),
        ("add_storedsilence", {"make"}),
        ("delete_storedsilence", {"end"}),
    ],
)
def test_each_needs_its_permission(
    admin_client: Client, permission: str, allowed: set[str]
) -> None:
    _, made = post(admin_client, wanted())
    user = User.objects.create_user("carl", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename=permission))
    client = Client()
    client.force_login(user)

    answers = {
        "list": client.get(URL).status_code,
        "make": post(client, wanted())[0],
        "end": client.delete(f"{URL}{made['id']}/").status_code,
    }

    assert {what for what, status in answers.items() if status < 300} == allowed
    assert {status for what, status in answers.items() if what not in allowed} == {403}


def test_a_silence_is_named_by_what_it_is_for() -> None:
    silence = StoredSilence(comment="moving house", author="ann")

    assert str(silence) == "moving house (ann)"
