from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client, override_settings
from django.urls import include, path
from django.utils import timezone

import prs_otel
from alerting import conf, wiring
from alerting.following import handed_out
from alerting.models import Alert
from alerting.notifications.policy import Limits
from alerting.rows import alert_of
from alerting.runner import Runner
from alerting.settings_model import AlertingSettings
from alerting.wiring import leading, serving
from prs_otel import configuration, pipeline
from prs_otel.models import SettingChange
from prs_otel.monitoring import tokens
from tests.alerting.test_wiring import Lease
from tests.support.commands import manage_monitoring
from tests.support.notices import notice

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]

CONFIG = "/api/alerting/config/"
CHANGES = "/api/alerting/config/changes/"
TRACE_URL = "https://traces.example/{trace_id}"
SECRET = "s3cret-of-16-or-more"

urlpatterns = [
    path("api/alerting/", include("alerting.urls")),
    path("api/monitoring/", include("prs_otel.urls")),
]


@pytest.fixture(autouse=True)
def _own_store(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with override_settings(MONITORING_SETTINGS={"STORE": f"memory://{uuid4().hex}"}):
        monkeypatch.setattr(pipeline, "_current", None)
        yield
        monkeypatch.setattr(pipeline, "_current", None)
    conf.change({})


def post(client: Client, body: Any, url: str = CONFIG, **headers: str) -> Any:
    return client.post(url, body, content_type="application/json", headers=headers)


def clerk(*permissions: str, is_staff: bool = True) -> Client:
    user = User.objects.create_user("carl", is_staff=is_staff)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = Client()
    client.force_login(user)
    return client


def evaluated() -> Runner:
    runner = leading.build_runner(Lease())
    runner.tick(time.time())
    return runner


# --- Who may --------------------------------------------------------------------------


def test_who_is_not_signed_in_is_not_answered(client: Client) -> None:
    assert [client.get(CONFIG).status_code, client.get(CHANGES).status_code] == [
        401
    ] * 2
    assert post(client, {}).status_code == 401


def test_staff_needs_a_permission_to_read_and_another_to_change() -> None:
    reader = clerk("view_configuration")

    assert reader.get(CONFIG).status_code == 200
    assert reader.get(CHANGES).status_code == 200
    refused = post(reader, {"EMAIL_BATCH_SIZE": 0})
    assert refused.status_code == 403
    assert "prs_otel.change_configuration" in refused.json()["detail"]


def test_staff_without_a_permission_may_not_even_read() -> None:
    without = clerk()

    assert without.get(CONFIG).status_code == 403
    assert without.get(CHANGES).status_code == 403


def test_who_is_not_on_the_staff_may_not_whatever_permission_he_has() -> None:
    user = clerk("view_configuration", "change_configuration", is_staff=False)

    assert user.get(CONFIG).status_code == 403
    assert post(user, {}).status_code == 403


def test_a_session_needs_the_csrf_token_and_a_bearer_token_none(
    admin_user: User,
) -> None:
    client = Client(enforce_csrf_checks=True)
    _, text = tokens.create(admin_user, "test", now=timezone.now())

    by_token = post(client, {}, Authorization=f"Bearer {text}")
    client.force_login(admin_user)

    assert by_token.status_code == 200
    assert post(client, {}).status_code == 403


# --- Reading --------------------------------------------------------------------------


@override_settings(
    ALERTING_SETTINGS={
        "MAX_ALERTS_PER_HOUR": 20,
        "RULES": [{"name": "mine", "metric": "m", "threshold": 1}],
        "CHANNELS": [
            "log",
            {
                "type": "webhook",
                "url": f"https://u:{SECRET}@h/{SECRET}",
                "secret": SECRET,
            },
        ],
        "DEAD_MANS_SWITCH_URL": f"https://u:{SECRET}@ping.example/{SECRET}",
        "WEBHOOK_SECRET": SECRET,
    }
)
def test_every_setting_says_where_it_comes_from_and_no_secret(
    admin_client: Client,
) -> None:
    response = post(admin_client, {"EMAIL_BATCH_SIZE": 1})

    found = {
        key: (each["value"], each["origin"], each["needs_restart"])
        for key, each in response.json()["settings"].items()
    }
    assert set(found) == {name.upper() for name in AlertingSettings.model_fields}
    assert found["EMAIL_BATCH_SIZE"] == (1, "database", False)
    assert found["MAX_ALERTS_PER_HOUR"] == (20, "settings", False)
    assert found["MAX_FLAPS_PER_HOUR"] == (4, "default", False)
    assert found["RULES"] == (["mine"], "settings", True)
    assert found["CHANNELS"][0] == [
        {"name": "log", "type": "log"},
        {"name": "webhook", "type": "webhook"},
    ]
    assert found["DEAD_MANS_SWITCH_URL"][0] == "https://ping.example"
    assert found["WEBHOOK_SECRET"][0] == "…"
    assert SECRET not in response.content.decode()
    assert "minutes" in response.json()["settings"]["ALERT_COOLDOWN_MINUTES"]["meaning"]


def test_a_change_that_the_settings_file_contradicts_is_named(
    admin_client: Client,
) -> None:
    route = {"matchers": {"team": "a"}, "channels": ["email"]}
    post(admin_client, {"ROUTES": [route]})

    with override_settings(ALERTING_SETTINGS={"CHANNELS": ["log"]}):
        answer = admin_client.get(CONFIG).json()

    [ignored] = answer["ignored"]
    assert (ignored["key"], ignored["value"]) == ("ROUTES", [route])
    assert "'email'" in ignored["reason"]
    assert answer["settings"]["ROUTES"]["origin"] == "default"


# --- Changing -------------------------------------------------------------------------


def test_a_change_is_in_force_at_the_next_evaluation(admin_client: Client) -> None:
    runner = evaluated()
    changed = {"EVALUATION_INTERVAL": 30, "EMAIL_BATCH_SIZE": 1}

    before = post(admin_client, changed).json()
    seconds = runner.tick(time.time())
    after = admin_client.get(CONFIG).json()

    assert (before["revision"], before["evaluated_revision"]) == (1, 0)
    assert after["evaluated_revision"] == 1
    assert 25 < seconds <= 30
    assert conf.current().email_batch_size == 1


def test_whatever_depends_on_a_setting_follows_it(admin_client: Client) -> None:
    route = {"matchers": {"team": "a"}, "channels": ["log"]}
    url = "http://127.0.0.1:9/ping"
    with override_settings(ALERTING_SETTINGS={"DEAD_MANS_SWITCH_URL": url}):
        runner = evaluated()
        post(
            admin_client,
            {
                "ALERT_COOLDOWN_MINUTES": 120,
                "MAX_ALERTS_PER_HOUR": 7,
                "MAX_FLAPS_PER_HOUR": 8,
                "EMAIL_BATCH_SIZE": 9,
                "HISTORY_RETENTION_DAYS": 1,
                "EVALUATION_INTERVAL": 600,
                "GROUP_WAIT_SECONDS": 30,
                "REPEAT_INTERVAL_HOURS": 2,
                "ROUTES": [route],
                "TRACE_URL_TEMPLATE": TRACE_URL,
            },
        )
        runner.tick(time.time())

    parts = runner._parts
    policies = parts.notifier._policies
    assert policies.limits == Limits(7_200, 7, 8, 30)
    assert policies.routing.repeat == 7_200
    assert [each.channels for each in policies.routing.routes] == [("log",)]
    assert policies.interval == parts.interval == 600
    assert parts.trace_url == TRACE_URL
    assert parts.setting.max_gap == 2_400
    assert parts.switch is not None
    assert parts.switch.patience == 2_400
    assert parts.retention._seconds == 86_400
    assert parts.ledger._remembered == 7_200
    assert parts.sender._outbox.batch_size == 9


def test_a_change_taken_back_is_in_force_at_the_next_evaluation_too(
    admin_client: Client,
) -> None:
    post(admin_client, {"EVALUATION_INTERVAL": 30})
    runner = evaluated()

    post(admin_client, {"EVALUATION_INTERVAL": None})

    assert runner.tick(time.time()) <= 15


def test_a_dry_round_goes_by_changed_settings_and_hands_out_none(
    admin_client: Client,
) -> None:
    post(admin_client, {"EVALUATION_INTERVAL": 30})
    runner = leading.build_runner(Lease(), is_dry=True)

    runner.preview(time.time())

    assert runner._parts.interval == 30
    assert handed_out(prs_otel.document_store()) is None


def test_each_change_is_audited_apart_from_those_of_monitoring(
    admin_client: Client,
) -> None:
    post(admin_client, {"EMAIL_BATCH_SIZE": 1})
    post(admin_client, {"EMAIL_BATCH_SIZE": None, "MAX_ALERTS_PER_HOUR": 7})
    post(admin_client, {"FLUSH_INTERVAL": 2}, "/api/monitoring/config/")

    ours = admin_client.get(CHANGES).json()
    theirs = admin_client.get("/api/monitoring/config/changes/").json()

    shown = [
        (each["revision"], each["user"], each["key"], each["old"], each["new"])
        for each in ours["items"]
    ]
    assert shown == [
        (2, "admin", "MAX_ALERTS_PER_HOUR", None, 7),
        (2, "admin", "EMAIL_BATCH_SIZE", 1, None),
        (1, "admin", "EMAIL_BATCH_SIZE", None, 1),
    ]
    assert ours["count"] == 3
    assert [each["key"] for each in theirs["items"]] == ["FLUSH_INTERVAL"]
    assert admin_client.get(CHANGES, {"limit": 0}).status_code == 422


def test_what_is_wrong_is_refused_whole_with_every_reason(admin_client: Client) -> None:
    response = post(
        admin_client,
        {"EMAIL_BATCH_SIZE": 0, "CHANNELS": [SECRET], "MAX_ALERTS_PER_HOUR": 7},
    )

    detail = {each["loc"][1]: each for each in response.json()["detail"]}
    assert response.status_code == 422
    assert detail["EMAIL_BATCH_SIZE"]["type"] == "value"
    assert "Write a whole number from 1 to 100" in detail["EMAIL_BATCH_SIZE"]["msg"]
    assert detail["CHANNELS"]["type"] == "restart"
    assert SECRET not in response.content.decode()
    assert SettingChange.objects.count() == 0


@pytest.mark.parametrize("body", ["x", [1], 5])
def test_what_is_no_object_is_refused(admin_client: Client, body: Any) -> None:
    response = admin_client.post(CONFIG, json.dumps(body), "application/json")

    assert response.status_code == 422


def test_who_is_never_first_is_asked_to_try_again(
    admin_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(configuration, "_keep", lambda *_, **__: False)

    response = post(admin_client, {"EMAIL_BATCH_SIZE": 1})

    assert response.status_code == 409
    assert "Try again" in response.json()["detail"]


def test_changes_of_both_packages_are_kept_side_by_side(admin_client: Client) -> None:
    post(admin_client, {"EMAIL_BATCH_SIZE": 1})
    post(admin_client, {"FLUSH_INTERVAL": 2}, "/api/monitoring/config/")

    assert configuration.stored().changes == {"FLUSH_INTERVAL": 2}
    assert admin_client.get(CONFIG).json()["revision"] == 1


def test_the_document_describes_what_can_be_changed(admin_client: Client) -> None:
    document = admin_client.get("/api/alerting/openapi.json").json()

    operation = document["paths"][CONFIG]["post"]
    schema = operation["requestBody"]["content"]["application/json"]["schema"]
    assert schema["additionalProperties"] is False
    size = schema["properties"]["EMAIL_BATCH_SIZE"]["anyOf"][0]
    assert (size["minimum"], size["maximum"]) == (1, 100)
    assert "$ref" not in json.dumps(schema)
    assert not {"RULES", "CHANNELS", "WEBHOOK_SECRET"} & schema["properties"].keys()


def test_a_test_of_an_alert_goes_where_changed_routes_say(admin_client: Client) -> None:
    route = {"matchers": {"alertname": "high_cpu_usage"}, "channels": ["log"]}
    post(admin_client, {"ROUTES": [route]})
    conf.change({})
    wiring.connect()

    told = manage_monitoring(
        "test-alert", "--rule-name=high_cpu_usage", "--format=json"
    ).json()

    assert [each["channel"] for each in told["channels"]] == ["log"]


def test_cleaning_up_keeps_what_changed_settings_keep(admin_client: Client) -> None:
    old = alert_of(notice(at=time.time() - 200 * 86_400), "")
    old.resolved_at = timezone.now() - timedelta(days=200)
    old.save()
    post(admin_client, {"HISTORY_RETENTION_DAYS": 300})
    conf.change({})
    wiring.connect()

    manage_monitoring("cleanup")

    assert Alert.objects.count() == 1


def test_what_explains_an_alert_follows_a_change_too(admin_client: Client) -> None:
    inhibition = {"source": {"alertname": "a"}, "target": {"alertname": "b"}}
    post(admin_client, {"INHIBITIONS": [inhibition]})
    evaluated()
    conf.change({})

    admin_client.get("/api/alerting/explain/", {"rule": "b"})

    assert len(conf.current().inhibitions) == 1


def test_the_webhook_follows_a_change_as_the_evaluator_has_handed_it_out(
    admin_client: Client,
) -> None:
    post(admin_client, {"WEBHOOK_EXPIRY_HOURS": 2})
    evaluated()
    conf.change({})

    inbox = serving.site().inbox()

    assert inbox.expiry == 7_200
