from __future__ import annotations

import json
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.http import HttpRequest
from django.test import Client, override_settings
from django.urls import include, path
from hypothesis import given
from hypothesis import strategies as st

import prs_otel
from alerting import stored_rules
from alerting.api import build_api
from alerting.endpoints.site import Site
from alerting.models import RuleChange, StoredRule
from alerting.rules import Rule
from alerting.status import Status
from alerting.stored_rules import definition
from alerting.system import alerting_system
from tests.support.alerting_source import FakeSource, Reading

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]

RULES = "/api/alerting/rules/"
RULE: dict[str, Any] = {
    "name": "deals_errors",
    "metric": "http.server.request.error_rate",
    "where": {"http.route": "/deals/"},
    "window": "5m",
    "operator": ">",
    "threshold": {"critical": 0.2},
    "min_count": 5,
    "for": "1m",
}
source = FakeSource()


def is_staff(request: HttpRequest) -> User | None:
    user = request.user
    return user if isinstance(user, User) and user.is_staff else None


api = build_api(Site([is_staff], lambda _: Status(), lambda: source, "1.2.3"))
urlpatterns = [path("api/alerting/", include(prs_otel.mounted(api)))]


def send(client: Client, method: str, url: str, body: object = None) -> Any:
    response = client.generic(method, url, json.dumps(body), "application/json")
    return response.status_code, json.loads(response.content)


def post(client: Client, body: object, url: str = RULES) -> Any:
    return send(client, "POST", url, body)


def with_permissions(*names: str) -> Client:
    user = User.objects.create_user("carl", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=names))
    client = Client()
    client.force_login(user)
    return client


def test_a_rule_is_stored_and_listed(admin_client: Client) -> None:
    status, written = post(admin_client, RULE)
    listed = {item["name"]: item for item in admin_client.get(RULES).json()["items"]}

    assert (status, written["origin"], written["updated_by"]) == (
        201,
        "stored",
        "admin",
    )
    assert written["text"] == (
        'ratio(http.server.request.error_rate{http.route="/deals/"}[5m])'
        " > 0.2 critical min_count 5 for 1m"
    )
    assert listed["deals_errors"] == written
    assert listed["high_cpu_usage"]["origin"] == "built-in"
    assert Rule.load(written["definition"]) == Rule.load(RULE)


def test_a_rule_may_have_the_text_form(admin_client: Client) -> None:
    text = 'http.server.request.error_rate{http.route="/deals/"}[5m] > 0.1'

    status, written = post(admin_client, {"name": "by_text", "expr": text})
    wrong, refused = post(admin_client, {"name": "by_text", "expr": text + " soon"})

    assert (status, written["severities"]) == (201, ["warning"])
    assert wrong == 422
    assert "column" in refused["detail"][0]["msg"]


def test_a_rule_is_changed_by_storing_it_again(admin_client: Client) -> None:
    post(admin_client, RULE)

    status, written = post(admin_client, {**RULE, "threshold": 0.5})

    assert (status, written["definition"]["threshold"]) == (200, 0.5)
    assert StoredRule.objects.count() == 1


def test_every_change_is_written_down(admin_client: Client) -> None:
    post(admin_client, RULE)
    post(admin_client, {**RULE, "threshold": 0.5})
    send(admin_client, "DELETE", f"{RULES}?name=deals_errors")

    changes = admin_client.get(f"{RULES}changes/").json()

    shown = [
        (
            each["user"],
            (each["old"] or {}).get("threshold"),
            (each["new"] or {}).get("threshold"),
        )
        for each in changes["items"]
    ]
    assert shown == [
        ("admin", 0.5, None),
        ("admin", {"critical": 0.2}, 0.5),
        ("admin", None, {"critical": 0.2}),
    ]
    assert changes["count"] == 3


@pytest.mark.parametrize(
    ("wrong", "expected"),
    [
        ({"condition": "lambda m: True"}, "condition works only in code and settings"),
        ({"message_template": "{0.__class__}"}, "message_template works only in code"),
        ({"threshold": "high"}, "threshold cannot be 'high'"),
        ({"windw": "5m"}, "write 'window'"),
        ({"threshold": float("nan")}, "it is not finite"),
        ({"for": "2000w"}, "longer than a year"),
        ({"name": "x" * 101}, "name cannot be"),
        ({"name": None}, "name cannot be None"),
    ],
)
def test_a_mistake_is_refused_in_words(
    admin_client: Client, wrong: dict[str, object], expected: str
) -> None:
    status, refused = post(admin_client, {**RULE, **wrong})

    assert status == 422
    assert expected in refused["detail"][0]["msg"]
    assert not StoredRule.objects.exists()


@pytest.mark.parametrize("body", [[], "rule", None, 5])
def test_what_is_no_object_is_refused(admin_client: Client, body: object) -> None:
    assert post(admin_client, body)[0] == 422


@pytest.mark.parametrize("how", ["query", "body"])
def test_a_stored_rule_is_removed(admin_client: Client, how: str) -> None:
    post(admin_client, RULE)
    url = f"{RULES}?name=deals_errors" if how == "query" else RULES

    status, removed = send(admin_client, "DELETE", url, {"name": "deals_errors"})

    assert (status, removed) == (200, {"name": "deals_errors", "replaced_by": None})
    assert not StoredRule.objects.exists()


def test_what_is_not_stored_cannot_be_removed(admin_client: Client) -> None:
    answers = [
        send(admin_client, "DELETE", f"{RULES}?name={name}")
        for name in ("high_cpu_usage", "nothing")
    ]
    nameless = send(admin_client, "DELETE", RULES, {})

    assert [status for status, _ in answers] == [409, 404]
    assert (
        answers[0][1]["detail"]
        == "The rule 'high_cpu_usage' is built in; remove it there."
    )
    assert nameless[0] == 422


def test_a_stored_rule_takes_the_place_of_a_built_in_one(admin_client: Client) -> None:
    own = {
        "name": "high_cpu_usage",
        "metric": "system.cpu.utilization",
        "threshold": 0.5,
    }
    post(admin_client, own)
    listed = [
        i for i in admin_client.get(RULES).json()["items"] if i["name"] == own["name"]
    ]
    _, removed = send(admin_client, "DELETE", f"{RULES}?name=high_cpu_usage")

    assert [item["origin"] for item in listed] == ["stored"]
    assert removed["replaced_by"] == "built-in"


def test_a_rule_in_settings_is_removed_there(admin_client: Client) -> None:
    with override_settings(ALERTING_SETTINGS={"RULES": [RULE]}):
        status, refused = send(admin_client, "DELETE", f"{RULES}?name=deals_errors")

    assert (status, "ALERTING_SETTINGS" in refused["detail"]) == (409, True)


def test_there_may_be_only_so_many(
    admin_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stored_rules, "LIMIT", 1)
    post(admin_client, RULE)

    again, _ = post(admin_client, RULE)
    status, refused = post(admin_client, {**RULE, "name": "another"})

    assert (again, status) == (200, 409)
    assert "remove one first" in refused["detail"]


def test_what_no_longer_fits_is_shown_with_its_reason(admin_client: Client) -> None:
    StoredRule.objects.create(
        name="old",
        definition={**RULE, "metrik": "x"},
        updated_at="2025-01-01T00:00:00Z",
    )

    [item] = [i for i in admin_client.get(RULES).json()["items"] if i["name"] == "old"]

    assert (item["health"], item["origin"]) == ("error", "stored")
    assert "'metrik' is no field of a rule" in item["last_error"]


@pytest.mark.parametrize(
    ("permission", "allowed"),
    [
        ("view_storedrule", {"GET", "changes", "test"}),
        ("add_storedrule", {"POST new"}),
        ("change_storedrule", {"POST old"}),
        ("delete_storedrule", {"DELETE"}),
        ("view_alert", set()),
    ],
)
def test_each_needs_its_permission(
    admin_client: Client, permission: str, allowed: set[str]
) -> None:
    post(admin_client, {**RULE, "name": "old"})
    client = with_permissions(permission)
    answers = {
        "GET": client.get(RULES).status_code,
        "changes": client.get(f"{RULES}changes/").status_code,
        "test": post(client, RULE, f"{RULES}test/")[0],
        "POST new": post(client, RULE)[0],
        "POST old": post(client, {**RULE, "name": "old"})[0],
        "DELETE": send(client, "DELETE", f"{RULES}?name=old")[0],
    }

    assert {what for what, status in answers.items() if status < 300} == allowed
    assert {status for what, status in answers.items() if what not in allowed} == {403}


def test_who_is_nobody_is_not_let_in(client: Client) -> None:
    assert client.get(RULES).status_code == 401
    assert post(client, RULE)[0] == 401


def test_a_rule_is_tried_out_without_consequence(admin_client: Client) -> None:
    source.answers = {
        RULE["metric"]: [
            Reading(0.1, 50, {"http.route": "/a/"}),
            Reading(0.3, 50, {"http.route": "/b/"}),
            Reading(0.9, 2, {"http.route": "/few/"}),
        ]
    }

    status, tried = post(admin_client, {**RULE, "by": ["http.route"]}, f"{RULES}test/")

    assert (status, tried["would_fire"], tried["health"]) == (200, True, "ok")
    assert [(r["labels"]["http.route"], r["severity"]) for r in tried["results"]] == [
        ("/b/", "critical"),
        ("/a/", None),
        ("/few/", None),
    ]
    assert not StoredRule.objects.exists()


def test_a_rule_is_tried_out_by_its_name(admin_client: Client) -> None:
    source.answers = {"system.cpu.utilization": [Reading(0.99)]}

    _, tried = post(admin_client, {"rule_name": "high_cpu_usage"}, f"{RULES}test/")
    status, _ = post(admin_client, {"rule_name": "nothing"}, f"{RULES}test/")

    assert (tried["would_fire"], tried["results"][0]["severity"]) == (True, "critical")
    assert status == 404


def test_a_stored_rule_is_tried_out_by_its_name(admin_client: Client) -> None:
    post(admin_client, RULE)
    source.answers = {}

    _, tried = post(admin_client, {"rule_name": "deals_errors"}, f"{RULES}test/")

    assert (tried["health"], tried["would_fire"]) == ("no_data", False)


def test_a_condition_is_tried_out_and_its_failure_shown(admin_client: Client) -> None:
    source.flat_metrics = {"cpu_percent": 99.0}
    try:
        alerting_system.add_alert_rule(
            {"name": "busy", "condition": lambda metrics: metrics["cpu_percent"] > 90}
        )
        alerting_system.add_alert_rule(
            {"name": "broken", "condition": lambda metrics: metrics["nothing"]}
        )
        _, busy = post(admin_client, {"rule_name": "busy"}, f"{RULES}test/")
        _, broken = post(admin_client, {"rule_name": "broken"}, f"{RULES}test/")
        _, listed = send(admin_client, "GET", RULES)
    finally:
        alerting_system.remove_alert_rule("busy")
        alerting_system.remove_alert_rule("broken")

    assert (busy["would_fire"], busy["text"]) == (True, None)
    assert (broken["health"], broken["last_error"]) == ("error", "KeyError: 'nothing'")
    [item] = [item for item in listed["items"] if item["name"] == "busy"]
    assert (item["origin"], item["is_condition"]) == ("code", True)


NUMBER = st.floats(-1e6, 1e6)
METRICS = ["http.server.request.error_rate", "db.client.operation.duration", "queue"]


@given(
    metric=st.sampled_from(METRICS),
    aggregation=st.sampled_from(["avg", "max", "rate", "ratio", "count", "p95", None]),
    threshold=NUMBER
    | st.fixed_dictionaries({"warning": st.just(1), "critical": st.just(2)}),
    more=st.fixed_dictionaries(
        {},
        optional={
            "for": st.sampled_from(["1m", 0, 90.5]),
            "no_data": st.sampled_from(["fire", {"policy": "ok", "for": "10m"}]),
            "by": st.just(["http.route"]),
            "labels": st.just({"team": "payments"}),
            "cooldown": st.sampled_from([0, "1h"]),
            "severity": st.just("critical"),
        },
    ),
)
def test_what_is_stored_reads_back_as_the_same_rule(
    metric: str, aggregation: str | None, threshold: object, more: dict[str, Any]
) -> None:
    rule = Rule.load(
        {
            "name": "r",
            "metric": metric,
            "aggregation": aggregation,
            "threshold": threshold,
            **more,
        }
    )

    assert Rule.load(json.loads(json.dumps(definition(rule)))) == rule


def test_what_is_absent_reads_back_as_the_same_rule() -> None:
    rule = Rule.load({"name": "r", "metric": "queue", "aggregation": "absent"})

    assert Rule.load(definition(rule)) == rule


def test_the_audit_names_what_it_is_about() -> None:
    change = RuleChange(name="deals_errors", user="admin")

    assert str(change) == "deals_errors by admin"
    assert str(StoredRule(name="deals_errors")) == "deals_errors"
