from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client, override_settings
from django.utils import timezone

from prs_otel import guard
from prs_otel.models import Token
from prs_otel.monitoring import tokens
from tests.support.measured import Measured, Whose

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.urls("tests.prs_otel.monitoring.mounted"),
    pytest.mark.usefixtures("served"),
]

BASE = "/api/monitoring/"
OF_ORGANIZATION = (
    "performance/summary/",
    "performance/trends/",
    "performance/latency/",
    "database/slow-queries/",
    "api/slow-calls/",
)
FOR_STAFF = (
    "database/metrics/",
    "api/metrics/",
    "api/trends/",
    "system/metrics/",
    "openapi.json",
    "docs/",
    "docs/swagger-ui.css",
)
EVERY_PATH = (*OF_ORGANIZATION, *FOR_STAFF)

ORGANIZATION_OF: dict[str, str | int] = {"alice": "7", "bob": 8}


def organization_of(user: User) -> str | int | None:
    return ORGANIZATION_OF.get(user.username)


def bearer(user: User) -> dict[str, str]:
    _, text = tokens.create(user, "test", now=timezone.now())
    return {"Authorization": f"Bearer {text}"}


@pytest.mark.parametrize("path", EVERY_PATH)
def test_anonymous_is_not_let_in(client: Client, path: str) -> None:
    response = client.get(BASE + path)

    assert response.status_code == 401
    assert response.json() == {"detail": "Unauthorized"}


@pytest.mark.parametrize("path", EVERY_PATH)
def test_staff_see_everything(staff_client: Client, path: str) -> None:
    assert staff_client.get(BASE + path).status_code == 200


@pytest.mark.parametrize("path", EVERY_PATH)
def test_a_token_of_staff_sees_everything(
    client: Client, staff: User, path: str
) -> None:
    assert client.get(BASE + path, headers=bearer(staff)).status_code == 200


@pytest.mark.parametrize("path", EVERY_PATH)
def test_a_user_without_an_organization_sees_nothing(
    alice_client: Client, path: str
) -> None:
    response = alice_client.get(BASE + path)

    assert response.status_code == 403
    assert set(response.json()) == {"detail"}


@pytest.mark.parametrize("path", OF_ORGANIZATION)
@pytest.mark.parametrize("answer", [None, ""])
def test_a_user_whose_organization_is_unknown_sees_nothing(
    alice_client: Client, path: str, answer: str | None
) -> None:
    with override_settings(
        MONITORING_SETTINGS={"USER_ORGANIZATION": lambda user: answer}
    ):
        assert alice_client.get(BASE + path).status_code == 403


@pytest.mark.parametrize("answer", [True, 7.0, [7], object(), b"7"])
def test_a_user_whose_organization_is_no_id_sees_nothing(
    alice_client: Client, answer: object
) -> None:
    with override_settings(
        MONITORING_SETTINGS={"USER_ORGANIZATION": lambda user: answer}
    ):
        response = alice_client.get(BASE + "performance/summary/")

    assert response.status_code == 403
    assert guard.report() == {"USER_ORGANIZATION": 1}
    guard.reset()


def test_an_organization_that_is_called_like_the_remainder_does_not_see_it(
    alice_client: Client, served: Measured
) -> None:
    served.request(0.1, whose=Whose(organization_id="__other__"))
    served.flush()

    with override_settings(
        MONITORING_SETTINGS={"USER_ORGANIZATION": lambda user: "__other__"}
    ):
        document = alice_client.get(BASE + "performance/summary/").json()

    assert document["requests"]["count"] == 0


def test_a_resolver_that_fails_lets_nobody_in(
    alice_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(user: User) -> str:
        raise LookupError(user.username)

    monkeypatch.setattr(guard, "reraise", False)
    with override_settings(MONITORING_SETTINGS={"USER_ORGANIZATION": fail}):
        response = alice_client.get(BASE + "performance/summary/")

    assert response.status_code == 403
    assert guard.report() == {"USER_ORGANIZATION": 1}


@pytest.mark.parametrize("path", FOR_STAFF)
def test_what_is_for_staff_is_for_no_organization(
    alice_client: Client, path: str
) -> None:
    with override_settings(MONITORING_SETTINGS={"USER_ORGANIZATION": organization_of}):
        assert alice_client.get(BASE + path).status_code == 403


@pytest.mark.parametrize(
    "query",
    ["", "?organization_id=8", "?organization=8", "?tenant=8&user=bob", "?hours=8760"],
)
@pytest.mark.parametrize("path", OF_ORGANIZATION)
def test_nothing_a_request_says_shows_another_organization(
    alice_client: Client, served: Measured, path: str, query: str
) -> None:
    for organization_id in ("7", "8"):
        whose = Whose(f"/of-{organization_id}/", organization_id, "secret-user")
        served.request(1.5, whose=whose)
        served.query(1.5, text=f"SELECT of_{organization_id}", whose=whose)
    served.flush()

    with override_settings(MONITORING_SETTINGS={"USER_ORGANIZATION": organization_of}):
        response = alice_client.get(
            BASE + path + query, headers={"X-Organization-Id": "8"}
        )

    body = response.content.decode()
    if response.status_code == 403:  # where it is a parameter
        assert query == "?organization_id=8"
    else:
        assert response.status_code == 200
        assert '"organization_id":"7"' in body
    assert "of-8" not in body
    assert '"organization_id":"8"' not in body
    assert "SELECT" not in body


@pytest.mark.parametrize("path", OF_ORGANIZATION[1:])
def test_to_ask_for_another_organization_is_refused(
    alice_client: Client, path: str
) -> None:
    with override_settings(MONITORING_SETTINGS={"USER_ORGANIZATION": organization_of}):
        own = alice_client.get(f"{BASE}{path}?organization_id=7")
        other = alice_client.get(f"{BASE}{path}?organization_id=8")

    assert (own.status_code, other.status_code) == (200, 403)
    assert other.json() == {"detail": "This is another organisation than yours."}


def test_a_user_sees_his_own_totals(alice_client: Client, served: Measured) -> None:
    served.request(0.1, whose=Whose(organization_id="7"))
    served.request(0.1, whose=Whose(organization_id="8"))
    served.request(0.1)
    served.flush()

    with override_settings(MONITORING_SETTINGS={"USER_ORGANIZATION": organization_of}):
        document = alice_client.get(BASE + "performance/summary/").json()

    assert document["organization_id"] == "7"
    assert document["requests"]["count"] == 1


def test_an_organization_may_be_a_number(client: Client, served: Measured) -> None:
    client.force_login(User.objects.create_user("bob"))
    served.request(0.1, whose=Whose(organization_id="8"))
    served.flush()

    with override_settings(MONITORING_SETTINGS={"USER_ORGANIZATION": organization_of}):
        document = client.get(BASE + "performance/summary/").json()

    assert (document["organization_id"], document["requests"]["count"]) == ("8", 1)


def test_a_revoked_token_is_not_let_in(client: Client, staff: User) -> None:
    headers = bearer(staff)
    tokens.revoke(Token.objects.get(), now=timezone.now())

    assert client.get(BASE + "system/metrics/", headers=headers).status_code == 401


def test_an_expired_token_is_not_let_in(client: Client, staff: User) -> None:
    headers = bearer(staff)
    Token.objects.update(expires_at=timezone.now() - timedelta(seconds=1))

    assert client.get(BASE + "system/metrics/", headers=headers).status_code == 401


@pytest.mark.parametrize(
    "value", ["Bearer", "Bearer ", "Bearer prs_a_b", "Basic YTpi", "prs_a_b"]
)
def test_what_is_no_token_is_not_let_in(client: Client, value: str) -> None:
    response = client.get(BASE + "system/metrics/", headers={"Authorization": value})

    assert response.status_code == 401


def test_health_is_public_and_says_nothing_but_the_status(client: Client) -> None:
    response = client.get(BASE + "system/health/")

    assert response.status_code == 200
    assert response.json() == {"status": "healthy"}


def test_health_says_no_more_to_a_user_who_is_not_staff(alice_client: Client) -> None:
    response = alice_client.get(BASE + "system/health/")

    assert response.json() == {"status": "healthy"}


def test_health_tells_staff_the_details(
    client: Client, staff: User, served: Measured
) -> None:
    served.flush()

    response = client.get(BASE + "system/health/", headers=bearer(staff))

    assert response.json()["status"] == "healthy"
    assert [check["name"] for check in response.json()["checks"]] == [
        "monitoring",
        "store",
    ]
