from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib import admin
from django.contrib.auth.models import Permission, User
from django.http import HttpResponse
from django.test import Client, RequestFactory
from django.urls import path
from django.utils import timezone

from alerting import stored_silences
from alerting.admin import AlertAdmin
from alerting.models import Alert, Delivery, ExternalAlert, RuleChange, StoredSilence
from alerting.stored_silences import read
from tests.support.alerting_world import World

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]

urlpatterns = [path("admin/", admin.site.urls)]

ALERTS = "/admin/prs_alerting/alert/"


def staff(*permissions: str) -> Client:
    user = User.objects.create_user("carl", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = Client()
    client.force_login(user)
    return client


def act(client: Client, action: str, *alerts: Alert, **fields: str) -> HttpResponse:
    """Choose an action; with `fields` fill in and send the page in between as well."""
    asked = {"apply": action, **fields} if fields else {}
    chosen = {"action": action, "_selected_action": [str(a.pk) for a in alerts]}
    response = client.post(ALERTS, {**chosen, **asked}, follow=True)
    assert isinstance(response, HttpResponse)
    return response


def firing() -> Alert:
    World().step(0.95)
    return Alert.objects.get()


def test_alerts_can_be_looked_at_and_not_changed(admin_client: Client) -> None:
    alert = firing()

    listing = admin_client.get(ALERTS).content.decode()
    page = admin_client.get(f"{ALERTS}{alert.pk}/change/").content.decode()

    assert "high_cpu_usage" in listing
    assert "fake" in page
    assert 'name="_save"' not in page
    assert admin_client.get(f"{ALERTS}add/").status_code == 403
    assert admin_client.post(f"{ALERTS}{alert.pk}/delete/").status_code == 403


def test_an_alert_is_acknowledged_with_a_note(admin_client: Client) -> None:
    alert = firing()

    asked = act(admin_client, "acknowledge", alert).content.decode()
    done = act(admin_client, "acknowledge", alert, note="adding a disk")
    alert.refresh_from_db()

    assert 'name="note"' in asked
    assert str(alert.pk) in asked
    assert "1 alert acknowledged." in done.content.decode()
    assert (alert.acknowledged_by, alert.acknowledgement) == ("admin", "adding a disk")
    assert alert.acknowledged_at is not None


def test_an_alert_is_silenced_for_some_hours_and_no_other(admin_client: Client) -> None:
    alert = firing()
    Alert.objects.update(labels={"http.route": "/deals/"})

    done = act(admin_client, "silence", alert, hours="1.5", reason="moving house")
    silence = StoredSilence.objects.get()

    assert "1 alert silenced." in done.content.decode()
    assert (silence.author, silence.comment) == ("admin", "moving house")
    assert silence.ends_at - silence.starts_at == timedelta(hours=1.5)
    assert silence.definition["matchers"] == [
        {"name": "alertname", "operator": "=", "value": "high_cpu_usage"},
        {"name": "http.route", "operator": "=", "value": "/deals/"},
    ]
    assert read(stored_silences.rows(now=timezone.now().timestamp()))


@pytest.mark.parametrize("hours", ["soon", "-1", "0", "nan", "inf", "9000"])
def test_hours_that_are_none_are_refused_in_words(
    admin_client: Client, hours: str
) -> None:
    page = act(admin_client, "silence", firing(), hours=hours, reason="x")

    assert f"hours cannot be &#x27;{hours}&#x27;; write a number" in (
        page.content.decode()
    )
    assert not StoredSilence.objects.exists()


def test_a_silence_wants_a_reason(admin_client: Client) -> None:
    page = act(admin_client, "silence", firing(), hours="1", reason=" ")

    assert "This field is required" in page.content.decode()
    assert not StoredSilence.objects.exists()


def test_labels_that_are_no_matchers_silence_nothing_rather_than_more(
    admin_client: Client,
) -> None:
    alert = firing()
    Alert.objects.update(labels={f"label_{n}": "x" for n in range(20)})

    page = act(admin_client, "silence", alert, hours="1", reason="x").content.decode()

    assert "high_cpu_usage cannot be silenced by its labels" in page
    assert not StoredSilence.objects.exists()


def test_there_may_be_only_so_many_silences(
    admin_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stored_silences, "LIMIT", 0)
    page = act(admin_client, "silence", firing(), hours="1", reason="x")

    assert "There are 0 silences already" in page.content.decode()


def test_what_is_over_cannot_be_acted_on(admin_client: Client) -> None:
    alert = firing()
    Alert.objects.update(resolved_at=timezone.now())

    for action in ("acknowledge", "silence"):
        page = act(admin_client, action, alert, note="x", hours="1", reason="x")
        assert "None of the selected alerts is open." in page.content.decode()

    assert not StoredSilence.objects.exists()
    assert not Alert.objects.exclude(acknowledged_by="").exists()


def test_more_than_one_action_takes_is_refused(
    admin_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("alerting.admin.alerts.AT_ONCE", 0)
    page = act(admin_client, "acknowledge", firing(), note="x")

    assert "More than 0 open alerts are selected" in page.content.decode()


@pytest.mark.parametrize(
    ("permission", "allowed"),
    [
        ("view_alert", set()),
        ("change_alert", {"acknowledge"}),
        ("add_storedsilence", {"silence"}),
    ],
)
def test_each_action_needs_its_permission(permission: str, allowed: set[str]) -> None:
    alert = firing()
    client = staff("view_alert", permission)

    page = client.get(ALERTS).content.decode()
    for action in ("acknowledge", "silence"):
        act(client, action, alert, note="x", hours="1", reason="x")
    done = {
        "acknowledge": Alert.objects.exclude(acknowledged_by="").exists(),
        "silence": StoredSilence.objects.exists(),
    }

    assert {name for name, is_done in done.items() if is_done} == allowed
    assert {name for name in done if f'value="{name}"' in page} == allowed


def test_actions_are_offered_by_what_the_user_may(rf: RequestFactory) -> None:
    request = rf.get(ALERTS)
    request.user = User.objects.create_superuser("root")
    page = AlertAdmin(Alert, admin.site)

    assert page.get_actions(request).keys() == {"acknowledge", "silence"}
    assert not page.has_change_permission(request)


def test_deliveries_external_alerts_and_changes_of_rules_can_be_read(
    admin_client: Client,
) -> None:
    firing()
    now = timezone.now()
    ExternalAlert.objects.create(
        source="grafana",
        fingerprint="f",
        name="disk_full",
        severity="critical",
        is_firing=True,
        starts_at=1_700_000_000.0,
        expires_at=1_700_000_600.0,
        received_at=now,
    )
    RuleChange.objects.create(name="slow_deals", new={}, user="alice", at=now)

    for model, expected in (
        (Delivery, "fake"),
        (ExternalAlert, "disk_full"),
        (RuleChange, "slow_deals"),
    ):
        base = f"/admin/prs_alerting/{model._meta.model_name}/"
        row = model._default_manager.get()
        listing = admin_client.get(base).content.decode()
        page = admin_client.get(f"{base}{row.pk}/change/").content.decode()
        assert expected in listing
        assert expected in page
        assert 'name="_save"' not in page
        assert admin_client.get(f"{base}add/").status_code == 403
