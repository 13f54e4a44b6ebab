from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client, override_settings
from django.utils import timezone

from prs_otel import changes, conf, configuration
from prs_otel.models import SettingChange
from prs_otel.monitoring import tokens
from tests.support.measured import Measured

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.urls("tests.prs_otel.monitoring.mounted"),
    pytest.mark.usefixtures("served"),
]

CONFIG = "/api/monitoring/config/"
MAINTENANCE = "/api/monitoring/maintenance/"
JSON = "application/json"


@pytest.fixture
def admin(db: None) -> User:
    return User.objects.create_superuser("root")


@pytest.fixture
def admin_client(admin: User) -> Client:
    client = Client()
    client.force_login(admin)
    return client


@pytest.fixture(autouse=True)
def _changes_are_forgotten() -> Iterator[None]:
    yield
    conf.change({})


def post(client: Client, path: str, body: Any) -> Any:
    return client.post(path, body, content_type=JSON)


@pytest.mark.parametrize(
    ("path", "body"), [(CONFIG, {}), (MAINTENANCE, {"action": "cleanup"})]
)
def test_only_who_is_permitted_may(
    client: Client, staff: User, staff_client: Client, path: str, body: Any
) -> None:
    assert post(client, path, body).status_code == 401
    assert post(staff_client, path, body).status_code == 403

    names = ("change_storedsetting", "maintain_monitoring")
    staff.user_permissions.set(Permission.objects.filter(codename__in=names))

    assert post(staff_client, path, body).status_code == 200


def test_reading_the_configuration_needs_the_permission_too(
    client: Client, staff_client: Client, admin_client: Client
) -> None:
    statuses = [
        each.get(CONFIG).status_code for each in (client, staff_client, admin_client)
    ]
    assert statuses == [401, 403, 200]


def test_a_session_needs_the_csrf_token_and_a_bearer_token_none(admin: User) -> None:
    client = Client(enforce_csrf_checks=True)
    _, text = tokens.create(admin, "test", now=timezone.now())
    bearer = {"Authorization": f"Bearer {text}"}
    body = {"action": "compact"}

    by_token = client.post(MAINTENANCE, body, content_type=JSON, headers=bearer)
    client.force_login(admin)

    assert by_token.status_code == 200
    assert post(client, MAINTENANCE, body).status_code == 403


def test_a_reset_says_how_much_was_dropped(
    admin_client: Client, measured: Measured
) -> None:
    measured.request()
    measured.flush()

    answer = post(admin_client, MAINTENANCE, {"action": "reset_counters"}).json()

    assert answer["action"] == "reset_counters"
    assert answer["result"]["dropped"] == 1


def test_an_unknown_action_is_refused(admin_client: Client) -> None:
    assert post(admin_client, MAINTENANCE, {"action": "drop"}).status_code == 422


@override_settings(MONITORING_SETTINGS={"SLOW_API_THRESHOLD": 3.0})
def test_every_setting_says_where_it_comes_from(admin_client: Client) -> None:
    answer = post(admin_client, CONFIG, {"SLOW_QUERY_THRESHOLD": 0.5}).json()

    found = {
        key: (each["value"], each["origin"]) for key, each in answer["settings"].items()
    }
    assert set(found) == set(changes.keys())
    assert found["SLOW_QUERY_THRESHOLD"] == (0.5, "database")
    assert found["SLOW_API_THRESHOLD"] == (3.0, "settings")
    assert found["FLUSH_INTERVAL"] == (5.0, "default")


def test_a_change_is_published_audited_and_can_be_taken_back(
    admin_client: Client,
    measured: Measured,
    django_capture_on_commit_callbacks: Any,
) -> None:
    for value in (0.5, None):
        with django_capture_on_commit_callbacks(execute=True):
            post(admin_client, CONFIG, {"SLOW_QUERY_THRESHOLD": value})
        document = measured.view.store.get(changes.DOCUMENT)
        expected = {} if value is None else {"SLOW_QUERY_THRESHOLD": value}
        assert document is not None
        assert changes.decode(document) == expected

    audit = SettingChange.objects.values_list("username", "key", "old", "new")
    assert list(audit) == [
        ("root", "SLOW_QUERY_THRESHOLD", 0.5, None),
        ("root", "SLOW_QUERY_THRESHOLD", None, 0.5),
    ]


@pytest.mark.parametrize(
    ("body", "key", "said"),
    [
        ({"SLOW_QUERY_THRESHOLD": "fast"}, "SLOW_QUERY_THRESHOLD", "'fast'"),
        ({"SLOW_QUERY": 1}, "SLOW_QUERY", "is not a setting"),
        ({"SLOW_QUERY": None}, "SLOW_QUERY", "is not a setting"),
        ({"CPU_WARNING_THRESHOLD": 95}, "CPU_WARNING_THRESHOLD", "not below"),
        ({"SERIES_LIMIT": 10}, "SERIES_LIMIT", "restart the server"),
    ],
)
def test_a_wrong_change_is_refused_in_words_and_nothing_is_kept(
    admin_client: Client, body: Any, key: str, said: str
) -> None:
    response = post(admin_client, CONFIG, {"FLUSH_INTERVAL": 2, **body})

    (refusal,) = response.json()["detail"]
    assert response.status_code == 422
    assert refusal["loc"] == ["body", key]
    assert said in refusal["msg"]
    assert configuration.stored() == {}
