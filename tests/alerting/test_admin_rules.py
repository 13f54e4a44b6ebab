from __future__ import annotations

import html
import json
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import path

from alerting import stored_rules
from alerting.models import RuleChange, StoredRule
from alerting.rules import load_structured

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]

urlpatterns = [path("admin/", admin.site.urls)]

RULES = "/admin/prs_alerting/storedrule/"
DEFINITION: dict[str, Any] = {"metric": "system.cpu.utilization", "threshold": 0.9}


def stored_rule(name: str = "busy") -> StoredRule:
    rule = load_structured({**DEFINITION, "name": name})
    stored_rules.write(rule, user="alice", now=1_700_000_000.0)
    return StoredRule.objects.get(name=name)


def write(
    client: Client, where: str, definition: object, name: str | None = "busy"
) -> str:
    """Send the form and return the text of the page that answers."""
    text = definition if isinstance(definition, str) else json.dumps(definition)
    fields = {"definition": text} | ({} if name is None else {"name": name})
    response = client.post(f"{RULES}{where}", fields, follow=True)
    assert response.status_code == 200
    return html.unescape(response.content.decode())


def changes() -> list[tuple[str, str, bool, bool]]:
    rows = RuleChange.objects.order_by("id")
    return [(c.name, c.user, c.old is None, c.new is None) for c in rows]


def test_a_rule_is_added_changed_and_removed_and_all_is_written_down(
    admin_client: Client,
) -> None:
    added = write(admin_client, "add/", DEFINITION)
    row = StoredRule.objects.get()
    (in_force,) = stored_rules.load().rules
    changed = write(admin_client, f"{row.pk}/change/", {**DEFINITION, "threshold": 0.5})
    (afterwards,) = stored_rules.load().rules
    admin_client.post(f"{RULES}{row.pk}/delete/", {"post": "yes"})

    assert "added successfully" in added
    assert "changed successfully" in changed
    assert (row.name, row.updated_by) == ("busy", "admin")
    assert in_force.rungs[0].threshold == 0.9
    assert afterwards.rungs[0].threshold == 0.5
    assert not StoredRule.objects.exists()
    assert changes() == [
        ("busy", "admin", True, False),
        ("busy", "admin", False, False),
        ("busy", "admin", False, True),
    ]


def test_several_rules_are_removed_at_once_each_with_its_entry(
    admin_client: Client,
) -> None:
    rows = [stored_rule("one"), stored_rule("two")]
    chosen = {"action": "delete_selected", "_selected_action": [r.pk for r in rows]}
    admin_client.post(RULES, {**chosen, "post": "yes"})

    assert not StoredRule.objects.exists()
    assert {c for c in changes() if c[1] == "admin"} == {
        ("one", "admin", False, True),
        ("two", "admin", False, True),
    }


def test_the_text_of_a_rule_is_as_good_as_its_fields(admin_client: Client) -> None:
    text = "avg(system.cpu.utilization[5m]) > 0.9"
    write(admin_client, "add/", {"expr": text})

    listing = html.unescape(admin_client.get(RULES).content.decode())

    assert StoredRule.objects.get().definition["threshold"] == 0.9
    assert "system.cpu.utilization" in listing


@pytest.mark.parametrize(
    ("definition", "expected"),
    [
        ({**DEFINITION, "threshold": "high"}, "threshold cannot be 'high'"),
        ({**DEFINITION, "metrik": "x"}, "'metrik' is no field of a rule"),
        ({**DEFINITION, "condition": "os.abort"}, "condition works only in code"),
        ({**DEFINITION, "name": "other"}, "name cannot be 'other' in here"),
        ({"expr": "avg(x >"}, "expr: "),
        ([1], "definition cannot be [1]"),
        ("{'metric'}", "This is no JSON; write {"),
    ],
)
def test_a_mistake_is_named_with_what_to_write_instead(
    admin_client: Client, definition: object, expected: str
) -> None:
    row = stored_rule("known")
    added = write(admin_client, "add/", definition)
    changed = write(admin_client, f"{row.pk}/change/", definition, name=None)

    assert expected in added
    assert expected in changed
    assert [row.name for row in StoredRule.objects.all()] == ["known"]
    assert len(changes()) == 1


def test_a_name_that_is_none_or_taken_is_refused(admin_client: Client) -> None:
    stored_rule("busy")

    assert "'busy' is stored already" in write(admin_client, "add/", DEFINITION)
    assert "name cannot be '1'" in write(admin_client, "add/", DEFINITION, name="1")
    assert StoredRule.objects.count() == 1


def test_the_name_of_a_stored_rule_stays(admin_client: Client) -> None:
    row = stored_rule()
    page = admin_client.get(f"{RULES}{row.pk}/change/").content.decode()
    write(admin_client, f"{row.pk}/change/", DEFINITION, name="other")

    assert 'name="name"' not in page
    assert StoredRule.objects.get().name == "busy"


def test_there_may_be_only_so_many(
    admin_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stored_rules, "LIMIT", 0)

    page = write(admin_client, "add/", DEFINITION)

    assert "There may be 0 stored rules" in page
    assert not StoredRule.objects.exists()


def test_what_a_release_does_not_understand_is_shown_with_the_reason(
    admin_client: Client,
) -> None:
    row = stored_rule()
    StoredRule.objects.update(definition={"metric": "x", "new_field": 1})

    listing = html.unescape(admin_client.get(RULES).content.decode())
    page = admin_client.get(f"{RULES}{row.pk}/change/").content.decode()

    assert "not in force: " in listing
    assert "new_field" in page


def test_who_may_only_look_writes_nothing() -> None:
    row = stored_rule()
    user = User.objects.create_user("carl", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename="view_storedrule"))
    client = Client()
    client.force_login(user)
    form = {"name": "x", "definition": json.dumps(DEFINITION)}

    assert client.get(f"{RULES}{row.pk}/change/").status_code == 200
    assert client.post(f"{RULES}{row.pk}/change/", form).status_code == 403
    assert client.post(f"{RULES}add/", form).status_code == 403
    assert client.post(f"{RULES}{row.pk}/delete/", {"post": "yes"}).status_code == 403
    assert len(changes()) == 1
