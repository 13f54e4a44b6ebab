"""Alerting tied to the real prs_otel, in one process."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import pytest
from django.core import mail
from django.db import connection
from django.test import Client, override_settings
from django.urls import include, path

import prs_otel
from alerting import dead_letters, stored_rules, wiring
from alerting.models import Alert, Delivery
from alerting.report import STATUS
from alerting.rows import alert_of
from alerting.rules import DEFAULT_THRESHOLDS, CodeRule, Rule
from alerting.source import MetricSource
from alerting.status import Status
from alerting.system import alerting_system
from alerting.wiring import commands, leading, serving
from prs_otel import pipeline
from prs_otel.monitoring import registry
from tests.support.commands import manage_monitoring
from tests.support.notices import notice
from tests.support.wait import wait_until

urlpatterns = [path("api/alerting/", include("alerting.urls"))]


@dataclass(frozen=True)
class Lease:
    holder: str = "w"
    host: str = "web1"
    pid: int = 42
    epoch: int = 1


@pytest.fixture(autouse=True)
def _own_store(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with override_settings(MONITORING_SETTINGS={"STORE": "memory://"}):
        monkeypatch.setattr(pipeline, "_current", None)
        yield
        monkeypatch.setattr(pipeline, "_current", None)


def built_in() -> list[Rule]:
    return [rule for rule in alerting_system.get_rules() if isinstance(rule, Rule)]


def alert(number: int) -> Alert:
    return alert_of(notice(alert_id=str(UUID(int=number)), episode=number), "")


@pytest.fixture
def alarm() -> Iterator[CodeRule]:
    rule = CodeRule("always", lambda _: True)
    alerting_system.add_alert_rule(rule)
    yield rule
    alerting_system._registered = {}


def test_the_package_offers_a_source() -> None:
    assert isinstance(prs_otel.metric_source(), MetricSource)


@pytest.mark.django_db
def test_the_built_in_rules_are_questions_the_package_can_answer() -> None:
    runner = leading.build_runner(Lease())

    runner.tick(time.time())

    status = runner.status()
    assert status is not None
    known = [rule.name for rule in alerting_system.get_rules()]
    assert {rule.name: rule.last_error for rule in status.rules} == dict.fromkeys(
        (dead_letters.RULE.name, *known), ""
    )


@pytest.mark.django_db
def test_where_there_is_one_channel_nobody_could_be_told_of_what_it_gave_up() -> None:
    with override_settings(ALERTING_SETTINGS={"CHANNELS": ["log"]}):
        runner = leading.build_runner(Lease())
    runner.tick(time.time())

    status = runner.status()
    assert status is not None
    assert dead_letters.RULE.name not in [rule.name for rule in status.rules]


@pytest.mark.django_db
def test_a_dead_mans_switch_is_one_of_an_evaluators_parts() -> None:
    url = "http://127.0.0.1:9/ping"
    with override_settings(ALERTING_SETTINGS={"DEAD_MANS_SWITCH_URL": url}):
        runner = leading.build_runner(Lease())
    runner.tick(time.time())

    status = runner.status()
    assert status is not None
    assert status.dead_mans_switch is not None
    assert status.dead_mans_switch.failures == 0


def test_the_built_in_windows_grow_with_the_interval_of_the_system_metrics() -> None:
    with override_settings(MONITORING_SETTINGS={"SYSTEM_METRICS_INTERVAL": 300}):
        windows = {rule.name: rule.window for rule in built_in()}

    assert windows == {
        "high_cpu_usage": 600.0,
        "high_memory_usage": 600.0,
        "low_disk_space": 600.0,
        "high_slow_query_rate": 300.0,
        "high_api_error_rate": 300.0,
        "database_connection_issues": 600.0,
    }


def test_the_built_in_rules_know_every_threshold_of_the_settings() -> None:
    assert prs_otel.thresholds().keys() == DEFAULT_THRESHOLDS.keys()


@pytest.mark.django_db
@pytest.mark.usefixtures("alarm")
def test_an_alert_reaches_the_administrators_by_mail() -> None:
    runner = leading.build_runner(Lease())

    runner.tick(time.time())
    runner.deliver()

    [sent] = mail.outbox
    assert sent.to == ["alice@example.org", "bob@example.org"]
    assert sent.subject == f"[{prs_otel.service_name()}] warning: always"


@pytest.mark.django_db
@pytest.mark.usefixtures("alarm")
def test_an_alert_waits_for_others_as_long_as_the_settings_say() -> None:
    with override_settings(ALERTING_SETTINGS={"GROUP_WAIT_SECONDS": 600}):
        runner = leading.build_runner(Lease())

    runner.tick(time.time())
    runner.deliver()

    assert mail.outbox == []
    reasons = set(Delivery.objects.values_list("reason", flat=True))
    assert all("waits for other alerts" in reason for reason in reasons)
    assert reasons


@pytest.mark.django_db
def test_a_stored_rule_is_evaluated_beside_those_in_code() -> None:
    rule = Rule.load({"name": "stored", "metric": "queue", "threshold": 1})
    stored_rules.write(rule, user="admin", now=time.time())
    runner = leading.build_runner(Lease())

    runner.tick(time.time())

    status = runner.status()
    assert status is not None
    assert {"stored", "high_cpu_usage"} <= {each.name for each in status.rules}


@pytest.mark.django_db
@pytest.mark.usefixtures("alarm")
def test_alerts_carry_the_host_of_their_store() -> None:
    leading.build_runner(Lease()).tick(time.time())

    assert Alert.objects.get().labels == dict(prs_otel.identity())


@pytest.mark.django_db
@pytest.mark.usefixtures("alarm")
def test_commands_and_the_api_show_the_same_documents(admin_client: Client) -> None:
    leading.build_runner(Lease()).tick(time.time())
    request = prs_otel.DocumentRequest(now=time.time(), severity="warning")

    with override_settings(ROOT_URLCONF=__name__):
        history = json.loads(admin_client.get("/api/alerting/history/").content)
        status = json.loads(admin_client.get("/api/alerting/status/").content)

    assert registry.requested_document("alerts", request) == history
    told = manage_monitoring("status", "--format", "json").json()["alerting"]
    assert told == status
    assert status["evaluator"]["host"] == "web1"


def test_switched_off_there_is_neither_a_status_nor_a_file(
    admin_client: Client, tmp_path: Path
) -> None:
    off = {"ENABLED": False, "STORE": f"sqlite:///{tmp_path}/prs.sqlite3"}

    with override_settings(ROOT_URLCONF=__name__, MONITORING_SETTINGS=off):
        answered = json.loads(admin_client.get("/api/alerting/status/").content)
        told = manage_monitoring("status", "--format", "json").json()

    assert answered == told["alerting"] == Status().model_dump()
    assert list(tmp_path.iterdir()) == []
    assert pipeline._current is None


@override_settings(ALERTING_SETTINGS={"CHANELS": []})
@pytest.mark.django_db
def test_the_command_judges_alerting_and_its_settings() -> None:
    long_ago = time.time() - 3600
    leading.build_runner(Lease()).tick(long_ago)

    status = registry.requested_status(
        "alerting", prs_otel.StatusRequest(time.time(), workers_since=long_ago)
    )

    assert status is not None
    assert [each.level for each in status.problems] == ["critical"]
    assert "has not evaluated since" in status.problems[0].message
    assert [each.key for each in status.settings_problems] == ["CHANELS"]


@pytest.mark.parametrize("limit", [None, 2, 1000])
def test_the_command_prints_as_many_alerts_as_the_api_answers(
    admin_client: Client, limit: int | None
) -> None:
    Alert.objects.bulk_create(alert(n) for n in range(101))
    query = {} if limit is None else {"limit": limit}
    arguments = [f"--{name}={value}" for name, value in query.items()]

    with override_settings(ROOT_URLCONF=__name__):
        answered = admin_client.get("/api/alerting/history/", query)
    told = manage_monitoring("alerts", "--format", "json", *arguments).json()

    assert told == json.loads(answered.content)
    assert (len(told["items"]), told["count"]) == (min(limit or 100, 101), 101)


@pytest.mark.django_db
def test_the_api_asks_who_is_there() -> None:
    with override_settings(ROOT_URLCONF=__name__):
        assert Client().get("/api/alerting/status/").status_code == 401
        assert Client().get("/api/alerting/docs/").status_code == 401


def test_the_api_is_documented_for_staff(admin_client: Client) -> None:
    with override_settings(ROOT_URLCONF=__name__):
        page = admin_client.get("/api/alerting/docs/")
        schema = json.loads(admin_client.get("/api/alerting/openapi.json").content)

    assert page.status_code == 200
    assert schema["info"]["version"] == prs_otel.__version__


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("alarm")
def test_a_leader_evaluates_and_sends_until_it_is_told_to_stop() -> None:
    stop: Callable[[], None] = wiring.start(Lease())
    try:
        wait_until(lambda: mail.outbox, what="a mail")
    finally:
        stop()

    assert prs_otel.document_store().get(STATUS) is not None
    assert connection.is_usable()


def test_standing_by_is_not_starting(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []
    monkeypatch.setattr(pipeline, "_starts", [])
    monkeypatch.setattr(wiring, "start", asked.append)

    wiring.connect()

    assert pipeline._starts == [wiring.start]
    assert asked == []


@pytest.mark.django_db
@override_settings(
    ALERTING_SETTINGS={"CHANNELS": ["log"], "RULEZ": []},
    MONITORING_SETTINGS={"STORE": "memory://nobody-evaluates"},
)
def test_the_doctor_is_told_what_keeps_alerts_from_being_told() -> None:
    request = registry.StatusRequest(now=time.time(), workers_since=time.time() - 600)

    found = {
        finding.message: finding.level
        for topic, finding in registry.requested_findings(request)
        if topic == "alerting"
    }

    assert found["Alerts are told by log."] == "ok"
    assert found["Nobody evaluates the rules: no alert will be told"] == "critical"
    assert any("RULEZ" in message for message in found)


@override_settings(ALERTING_SETTINGS={"CHANNELS": ["log"]})
def test_where_nobody_works_the_doctor_is_not_told_that_nobody_evaluates() -> None:
    request = registry.StatusRequest(now=time.time(), workers_since=None)

    (only,) = commands.findings(request)

    assert only.message == "Alerts are told by log."


def test_what_others_post_is_kept_for_the_service_and_as_long_as_the_settings_say(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    identity = {"host.name": "web-1", "service.name": "shop"}
    monkeypatch.setattr(prs_otel, "identity", lambda: identity)
    with override_settings(ALERTING_SETTINGS={"WEBHOOK_EXPIRY_HOURS": 2}):
        inbox = serving.site().inbox()

    assert (inbox.service, inbox.expiry) == ("shop", 7200.0)


@pytest.mark.django_db
def test_the_command_explains_a_rule_that_never_fired() -> None:
    wiring.connect()
    leading.build_runner(Lease()).tick(time.time())

    told = manage_monitoring("explain", "--rule-name=high_cpu_usage", "--format=json")
    unknown = manage_monitoring("explain", "--rule-name=high_cpu_usge")

    assert told.json()["verdict"] == (
        "there is no data: nothing was measured in the window"
    )
    assert (told.exit_code, unknown.exit_code) == (0, 1)
    assert "did you mean 'high_cpu_usage'?" in unknown.text
