from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connections
from django.test import Client, override_settings
from django.utils import timezone

from prs_otel import changes, conf, configuration, guard, maintenance
from prs_otel.distribution import Changed, distributed
from prs_otel.monitoring import tokens
from prs_otel.rollup import series
from prs_otel.store.base import StoreError
from tests.support.measured import Measured

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.urls("tests.prs_otel.monitoring.mounted"),
    pytest.mark.usefixtures("served"),
]

CONFIG = "/api/monitoring/config/"
CHANGES = "/api/monitoring/config/changes/"
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
def _changes_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(maintenance, "PATIENCE", 0.0)
    yield
    conf.change({})


def post(client: Client, path: str, body: Any) -> Any:
    return client.post(path, body, content_type=JSON)


def permit(user: User, *names: str) -> None:
    user.user_permissions.set(Permission.objects.filter(codename__in=names))


# --- Who may --------------------------------------------------------------------------

POSTS = [
    (CONFIG, {}, "change_configuration"),
    (MAINTENANCE, {"action": "cleanup"}, "maintain_monitoring"),
]


@pytest.mark.parametrize(("path", "body", "permission"), POSTS)
def test_only_staff_with_the_permission_may_change_something(
    client: Client,
    staff: User,
    staff_client: Client,
    path: str,
    body: Any,
    permission: str,
) -> None:
    assert post(client, path, body).status_code == 401
    refused = post(staff_client, path, body)
    assert refused.status_code == 403
    assert f"prs_otel.{permission}" in refused.json()["detail"]

    permit(staff, permission)

    assert post(staff_client, path, body).status_code == 200


@pytest.mark.parametrize(("path", "body", "permission"), POSTS)
def test_who_is_not_on_the_staff_may_not_whatever_permission_he_has(
    alice: User, alice_client: Client, path: str, body: Any, permission: str
) -> None:
    permit(alice, permission)

    assert post(alice_client, path, body).status_code == 403


@pytest.mark.parametrize("path", [CONFIG, CHANGES])
def test_reading_settings_needs_a_permission_too(
    client: Client, staff: User, staff_client: Client, path: str
) -> None:
    assert client.get(path).status_code == 401
    assert staff_client.get(path).status_code == 403

    for permission in ("view_configuration", "change_configuration"):
        permit(staff, permission)
        assert staff_client.get(path).status_code == 200


def test_who_may_only_read_settings_may_not_change_them(
    staff: User, staff_client: Client
) -> None:
    permit(staff, "view_configuration")

    assert post(staff_client, CONFIG, {"FLUSH_INTERVAL": 2}).status_code == 403


@pytest.mark.parametrize(("path", "body", "permission"), POSTS)
def test_a_session_needs_the_csrf_token_and_a_bearer_token_none(
    admin: User, path: str, body: Any, permission: str
) -> None:
    client = Client(enforce_csrf_checks=True)
    _, text = tokens.create(admin, "test", now=timezone.now())
    bearer = {"Authorization": f"Bearer {text}"}

    by_token = client.post(path, body, content_type=JSON, headers=bearer)
    client.force_login(admin)

    assert by_token.status_code == 200
    assert post(client, path, body).status_code == 403


def test_a_token_may_what_its_user_may(client: Client, staff: User) -> None:
    _, text = tokens.create(staff, "test", now=timezone.now())
    bearer = {"Authorization": f"Bearer {text}"}
    assert client.get(CONFIG, headers=bearer).status_code == 403

    permit(staff, "view_configuration")

    assert client.get(CONFIG, headers=bearer).status_code == 200


# --- Maintenance ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("action", "told"),
    [
        ("cleanup", {"expired_buckets", "evicted_buckets", "removed_bytes"}),
        ("compact", {"merged_buckets", "resulting_buckets", "freed_bytes"}),
        ("reset_counters", {"removed_buckets", "removed_bytes", "processes"}),
    ],
)
def test_each_action_says_in_numbers_what_was_done(
    admin_client: Client, action: str, told: set[str]
) -> None:
    response = post(admin_client, MAINTENANCE, {"action": action})

    answer = response.json()
    assert answer["action"] == action
    assert told <= {key for key, value in answer.items() if isinstance(value, int)}
    assert "no-store" in response.headers["Cache-Control"]


def test_who_had_maintenance_done_is_logged_with_its_numbers(
    admin_client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("INFO", logger="prs_otel"):
        post(admin_client, MAINTENANCE, {"action": "compact"})

    (line,) = [
        each for each in caplog.messages if each.startswith("Maintenance by root: ")
    ]
    assert '"merged_buckets"' in line


def test_after_a_reset_everything_counts_from_zero(
    admin_client: Client, measured: Measured
) -> None:
    measured.request()
    measured.flush()

    answer = post(admin_client, MAINTENANCE, {"action": "reset_counters"}).json()

    assert answer["removed_buckets"] == 1
    assert answer["removed_bytes"] > 0
    assert answer["since"].endswith("Z")
    window = measured.view.window(600, now=measured.now)
    assert window.total(series.REQUEST).count == 0


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"action": "drop"}, 422),
        ({"action": "compact", "now": 1}, 422),
        ({}, 422),
        ("compact", 400),
    ],
)
def test_what_cannot_be_done_is_refused(
    admin_client: Client, body: Any, status: int
) -> None:
    assert post(admin_client, MAINTENANCE, body).status_code == status


@override_settings(MONITORING_SETTINGS={"ENABLED": False})
def test_what_is_switched_off_has_nothing_to_maintain(
    admin_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("prs_otel.pipeline.is_enabled", lambda: False)

    assert post(admin_client, MAINTENANCE, {"action": "compact"}).status_code == 503
    changed = post(admin_client, CONFIG, {"FLUSH_INTERVAL": 2})
    assert changed.status_code == 200
    assert changed.json()["distributed_revision"] is None


# --- Reading settings -----------------------------------------------------------------


def project_resolver(request: object) -> int:
    return 1


@override_settings(
    MONITORING_SETTINGS={
        "SLOW_API_THRESHOLD": 3.0,
        "TENANT_RESOLVER": project_resolver,
        "USER_ORGANIZATION": "https://me:secret@resolvers.example/",
    }
)
def test_every_setting_says_where_it_comes_from(admin_client: Client) -> None:
    answer = post(admin_client, CONFIG, {"SLOW_QUERY_THRESHOLD": 0.5}).json()

    found = {
        key: (each["value"], each["origin"]) for key, each in answer["settings"].items()
    }
    assert set(found) == set(changes.keys())
    assert found["SLOW_QUERY_THRESHOLD"] == (0.5, "database")
    assert found["SLOW_API_THRESHOLD"] == (3.0, "settings")
    assert found["FLUSH_INTERVAL"] == (5.0, "default")
    assert found["TENANT_RESOLVER"] == (f"{__name__}.project_resolver", "settings")
    assert found["USER_ORGANIZATION"][0] == "https://…@resolvers.example/"
    assert found["STORE"][0].startswith("sqlite:////")
    assert answer["settings"]["STORE"]["needs_restart"]
    assert "seconds" in answer["settings"]["FLUSH_INTERVAL"]["meaning"]


@override_settings(MONITORING_SETTINGS={"CPU_CRITICAL_THRESHOLD": 82})
def test_a_change_that_the_settings_file_contradicts_is_named(
    admin_client: Client,
) -> None:
    with override_settings(MONITORING_SETTINGS={}):
        post(admin_client, CONFIG, {"CPU_WARNING_THRESHOLD": 85, "FLUSH_INTERVAL": 2})

    answer = admin_client.get(CONFIG).json()

    (ignored,) = answer["ignored"]
    assert (ignored["key"], ignored["value"]) == ("CPU_WARNING_THRESHOLD", 85)
    assert "85" in ignored["reason"]
    assert "82" in ignored["reason"]
    assert answer["settings"]["CPU_WARNING_THRESHOLD"]["origin"] == "default"
    assert answer["settings"]["FLUSH_INTERVAL"]["origin"] == "database"


def test_it_is_told_how_far_a_change_has_come(
    admin_client: Client, measured: Measured
) -> None:
    post(admin_client, CONFIG, {"FLUSH_INTERVAL": 2})
    measured.flush(figures={"prs.monitor.configuration": 1.0})
    measured.restart()
    measured.flush(figures={"prs.monitor.serves": 0.0})

    answer = admin_client.get(CONFIG).json()

    assert (answer["revision"], answer["distributed_revision"]) == (1, 1)
    assert answer["processes"] == [{"host": "web-1", "pid": 4_000, "revision": 1}]


def test_settings_are_told_though_the_store_cannot_be_read(
    admin_client: Client, measured: Measured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(measured.view.store, "get", broken)

    answer = admin_client.get(CONFIG)

    assert answer.status_code == 200
    assert answer.json()["distributed_revision"] is None


def broken(*_: object) -> None:
    raise StoreError("disk full")


# --- Changing settings ----------------------------------------------------------------


def test_a_change_is_distributed_and_can_be_taken_back(
    admin_client: Client, measured: Measured
) -> None:
    for revision, value in enumerate((0.5, None), start=1):
        response = post(admin_client, CONFIG, {"SLOW_QUERY_THRESHOLD": value})

        expected = {} if value is None else {"SLOW_QUERY_THRESHOLD": value}
        assert response.json()["revision"] == revision
        assert distributed(measured.view.store) == Changed(revision, expected)


def test_who_changed_what_can_be_read_page_by_page(admin_client: Client) -> None:
    for seconds in range(1, 4):
        post(admin_client, CONFIG, {"FLUSH_INTERVAL": seconds})

    page = admin_client.get(CHANGES, {"limit": 1, "offset": 1}).json()

    (item,) = page["items"]
    assert page["count"] == 3
    assert item.pop("time").endswith("Z")
    assert item == {
        "revision": 2,
        "key": "FLUSH_INTERVAL",
        "old": 1,
        "new": 2,
        "user": "root",
    }
    for limit, status in ((0, 422), (1, 200), (1_000, 200), (1_001, 422)):
        assert admin_client.get(CHANGES, {"limit": limit}).status_code == status


def test_fifty_changes_are_a_page_unless_others_are_asked_for(
    admin_client: Client,
) -> None:
    for number in range(51):
        post(admin_client, CONFIG, {"FLUSH_INTERVAL": 1 + number % 2})

    page = admin_client.get(CHANGES).json()

    assert (page["count"], len(page["items"])) == (51, 50)


def test_what_cannot_be_distributed_yet_is_told_and_kept(
    admin_client: Client, measured: Measured, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as out_of_order:
        out_of_order.setattr(measured.view.store, "put", broken)
        response = post(admin_client, CONFIG, {"FLUSH_INTERVAL": 2})
    guard.reset()

    answer = response.json()
    assert response.status_code == 503
    assert (answer["revision"], answer["changes"]) == (1, {"FLUSH_INTERVAL": 2})
    assert "no worker knows" in answer["detail"]
    configuration.look(measured.view.store)
    assert distributed(measured.view.store) == Changed(1, {"FLUSH_INTERVAL": 2})


def test_who_is_never_first_is_asked_to_try_again(
    admin_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(configuration, "_keep", lambda *_, **__: False)

    response = post(admin_client, CONFIG, {"FLUSH_INTERVAL": 2})

    assert response.status_code == 409
    assert "Try again" in response.json()["detail"]


@pytest.mark.parametrize(
    ("body", "key", "said"),
    [
        ({"SLOW_QUERY_THRESHOLD": "fast"}, "SLOW_QUERY_THRESHOLD", "'fast'"),
        ({"SLOW_QUERY_THRESHOLD": -1}, "SLOW_QUERY_THRESHOLD", "from 0 to 86400"),
        ({"SLOW_QUERY_THRESHOLD": True}, "SLOW_QUERY_THRESHOLD", "True"),
        ({"SLOW_QUERY_THRESHOLD": [1]}, "SLOW_QUERY_THRESHOLD", "[1]"),
        ({"SLOW_QUERY": 1}, "SLOW_QUERY", "is not a setting"),
        ({"SLOW_QUERY": None}, "SLOW_QUERY", "'SLOW_QUERY_THRESHOLD'"),
        ({"CPU_WARNING_THRESHOLD": 95}, "CPU_WARNING_THRESHOLD", "not below"),
        ({"SERIES_LIMIT": 10}, "SERIES_LIMIT", "restart the server"),
        ({"STORE": None}, "STORE", "restart the server"),
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
    assert configuration.stored() == Changed()


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ("[" * 100_000, 400),
        ('{"SLOW_QUERY_THRESHOLD":', 400),
        ('{"SLOW_QUERY_THRESHOLD": NaN}', 422),
        ('{"CPU_WARNING_THRESHOLD": NaN}', 422),
        ('{"FLUSH_INTERVAL": Infinity}', 422),
        ('{"FLUSH_INTERVAL": 1e400}', 422),
        ('{"N_PLUS_ONE_THRESHOLD": 1' + "0" * 400 + "}", 422),
        ("[1]", 422),
        ("null", 422),
        ("", 422),
        ('{"' + "A" * 101 + '": 1}', 422),
        ("{" + ",".join(f'"K{n}": 1' for n in range(101)) + "}", 422),
    ],
)
def test_what_is_no_object_of_settings_is_refused(
    admin_client: Client, body: str, status: int
) -> None:
    response = admin_client.post(CONFIG, body, content_type=JSON)

    assert response.status_code == status
    assert configuration.stored() == Changed()


def test_more_than_a_hundred_changes_are_refused_as_one(admin_client: Client) -> None:
    body = {f"K{number}": 1 for number in range(101)}

    detail = post(admin_client, CONFIG, body).json()["detail"]

    assert [each["type"] for each in detail] == ["too_long"]


def test_openapi_says_what_can_be_changed_to_what(staff_client: Client) -> None:
    document = staff_client.get("/api/monitoring/openapi.json").json()

    body = document["paths"][CONFIG]["post"]["requestBody"]["content"][JSON]["schema"]
    assert body["properties"].keys() == conf.FOLLOWED
    described = body["properties"]["CPU_WARNING_THRESHOLD"]
    assert described["anyOf"] == [
        {"exclusiveMinimum": 0, "maximum": 100, "type": "number"},
        {"type": "null"},
    ]
    assert "warns above" in described["description"]


def test_no_answer_of_ours_is_given_within_a_transaction(
    admin_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[bool] = []
    stored = configuration.stored

    def looking() -> Changed:
        seen.append(len(connections["default"].savepoint_ids) > before)
        return stored()

    before = len(connections["default"].savepoint_ids)
    monkeypatch.setattr(configuration, "stored", looking)
    monkeypatch.setitem(connections["default"].settings_dict, "ATOMIC_REQUESTS", True)

    assert admin_client.get(CONFIG).status_code == 200
    assert seen == [False]
