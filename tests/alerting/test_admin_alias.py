"""The admin where alerting has a database of its own."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator

import pytest
from django.contrib import admin
from django.test import Client, override_settings
from django.urls import path

from alerting import stored_rules, stored_silences
from alerting.models import Alert, RuleChange, StoredRule, StoredSilence
from tests.support.alerting_world import World

pytestmark = [
    pytest.mark.django_db(databases=["default", "other"]),
    pytest.mark.urls(__name__),
]

urlpatterns = [path("admin/", admin.site.urls)]


class Elsewhere:
    """Keep alerting in `other`, and read it from a replica that knows nothing yet."""

    def db_for_write(self, model: type, **_: object) -> str | None:
        return "other" if model.__module__ == "alerting.models" else None

    def db_for_read(self, model: type, **_: object) -> str | None:
        return "default" if model.__module__ == "alerting.models" else None

    def allow_relation(self, *_: object, **__: object) -> bool:
        return True


@pytest.fixture(autouse=True)
def _elsewhere() -> Iterator[None]:
    with override_settings(DATABASE_ROUTERS=[Elsewhere()]):
        yield


def test_alerts_are_read_and_acted_on_where_they_are_written(
    admin_client: Client,
) -> None:
    World().step(0.95)
    alert = Alert.objects.using("other").get()
    base = "/admin/prs_alerting/alert/"
    chosen = {"_selected_action": [str(alert.pk)], "apply": "1", "note": "known"}

    assert "high_cpu_usage" in admin_client.get(base).content.decode()
    page = admin_client.get(f"{base}{alert.pk}/change/").content.decode()
    admin_client.post(base, {**chosen, "action": "acknowledge"})
    silencing = {"action": "silence", "hours": "1", "reason": "x"}
    admin_client.post(base, {**chosen, **silencing})

    assert "fake" in page
    assert Alert.objects.using("other").get().acknowledgement == "known"
    assert StoredSilence.objects.using("other").count() == 1
    assert not StoredSilence.objects.using("default").exists()


def test_rules_and_silences_are_written_and_read_where_the_evaluator_looks(
    admin_client: Client,
) -> None:
    rules = "/admin/prs_alerting/storedrule/"
    definition = {"metric": "system.cpu.utilization", "threshold": 0.9}
    form = {"name": "busy", "definition": json.dumps(definition)}
    assert admin_client.post(f"{rules}add/", form).status_code == 302
    row = StoredRule.objects.using("other").get()
    assert [rule.name for rule in stored_rules.load().rules] == ["busy"]

    changed = admin_client.post(f"{rules}{row.pk}/change/", form)
    removed = admin_client.post(f"{rules}{row.pk}/delete/", {"post": "yes"})
    silence = stored_silences.timed(
        {"alertname": "busy"}, hours=1, comment="x", now=time.time()
    )
    made = stored_silences.create(silence, author="alice", now=time.time())
    silences = "/admin/prs_alerting/storedsilence/"
    page = admin_client.get(f"{silences}{made.id}/change/").content.decode()
    ended = {"action": "end", "_selected_action": [made.id]}
    listing = admin_client.post(silences, ended, follow=True).content.decode()

    assert (changed.status_code, removed.status_code) == (302, 302)
    assert RuleChange.objects.using("other").count() == 3
    assert "busy" in page
    assert "Silences ended: 1." in listing
