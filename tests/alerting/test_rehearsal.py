from __future__ import annotations

import smtplib
from dataclasses import dataclass, field
from typing import NoReturn

import pytest
from django.core import mail
from django.db import OperationalError
from django.test import override_settings

from alerting import stored_rules
from alerting.channels import Channel, DeliveryError
from alerting.models import Alert, Delivery
from alerting.notifications.message import Message
from alerting.notifications.routing import Routing, SendTo
from alerting.rehearsal import Attempt, named, rehearse
from alerting.rules import CodeRule, Rule, Severity
from alerting.system import alerting_system
from prs_otel import configuration
from tests.support.commands import manage_monitoring
from tests.support.notices import AT

RULE = Rule.load(
    {
        "name": "deals_errors",
        "metric": "http.server.request.error_rate",
        "threshold": {"warning": 0.05, "critical": 0.2},
        "labels": {"team": "payments"},
    }
)


@dataclass
class Recorder:
    name: str = "recorder"
    why: str = ""
    error: Exception | None = None
    sent: list[Message] = field(default_factory=list)

    def unavailable(self) -> str:
        return self.why

    def recipients(self) -> tuple[str, ...]:
        return ("ops",)

    def send(self, message: Message) -> tuple[str, ...]:
        if self.error is not None:
            raise self.error
        self.sent.append(message)
        return message.recipients


def attempt(channel: Channel) -> Attempt:
    (made,) = rehearse(
        RULE, [channel], routing=Routing(), project="shop", now=AT
    ).channels
    return made


def test_a_trial_is_marked_in_its_name_its_text_and_its_labels() -> None:
    channel = Recorder()

    rehearsal = rehearse(RULE, [channel], routing=Routing(), project="shop", now=AT)

    (message,) = channel.sent
    (notice,) = message.notices
    assert notice.name == "TEST deals_errors"
    assert "This is a test" in notice.message
    assert notice.all_labels == {"team": "payments", "prs.test": "true"}
    assert notice.severity is Severity.CRITICAL
    assert (rehearsal.rule, rehearsal.delivered) == ("deals_errors", 1)
    assert rehearsal.channels[0].recipients == ["ops"]


def test_no_trial_passes_for_a_repeat_of_the_one_before() -> None:
    channel = Recorder()

    for _ in range(2):
        rehearse(RULE, [channel], routing=Routing(), project="shop", now=AT)

    first, second = channel.sent
    assert first.key != second.key


def test_a_rule_in_code_can_be_tried_without_being_asked() -> None:
    def condition(_: object) -> bool:
        raise AssertionError("a rehearsal evaluates nothing")

    rehearsal = rehearse(
        CodeRule("queue", condition),
        [Recorder()],
        routing=Routing(),
        project="shop",
        now=AT,
    )

    assert (rehearsal.severity, rehearsal.delivered) == (Severity.WARNING, 1)


@pytest.mark.parametrize(
    ("channel", "outcome", "reason"),
    [
        (Recorder(why="ADMINS is empty"), "skipped", "ADMINS is empty"),
        (Recorder(error=DeliveryError("refused")), "failed", "refused"),
        (Recorder(error=OSError("gone")), "failed", "OSError: gone"),
    ],
)
def test_what_is_not_delivered_has_a_reason(
    channel: Recorder, outcome: str, reason: str
) -> None:
    made = attempt(channel)

    assert (made.outcome, made.reason, made.recipients) == (outcome, reason, [])


def test_who_has_got_it_is_named_though_others_have_not() -> None:
    error = DeliveryError("bob was refused", accepted=("alice@example.org",))

    made = attempt(Recorder(error=error))

    assert (made.outcome, made.recipients) == ("failed", ["alice@example.org"])


def test_a_channel_that_fails_does_not_keep_the_next_from_being_tried() -> None:
    broken, working = Recorder("broken", error=OSError("gone")), Recorder("working")

    rehearsal = rehearse(
        RULE, [broken, working], routing=Routing(), project="shop", now=AT
    )

    assert [each.outcome for each in rehearsal.channels] == ["failed", "delivered"]


def test_it_goes_where_the_routes_send_the_rules_alerts() -> None:
    route = {"matchers": {"alertname": "deals_errors"}, "channels": ["pager"]}
    routing = Routing((SendTo.model_validate(route),))
    pager, others = Recorder("pager"), Recorder("others")
    unrouted = RULE.model_copy(update={"name": "other"})

    for rule in (RULE, unrouted):
        rehearse(rule, [pager, others], routing=routing, project="shop", now=AT)

    assert [each.notices[0].name for each in pager.sent] == [
        "TEST deals_errors",
        "TEST other",
    ]
    assert [each.notices[0].name for each in others.sent] == ["TEST other"]


def test_an_unknown_rule_is_answered_by_the_known_ones() -> None:
    with pytest.raises(LookupError, match=r"Did you mean 'deals_errors'\?") as caught:
        named([RULE], "deal_errors")

    assert "The rules are: deals_errors" in str(caught.value)
    with pytest.raises(LookupError, match=r"There is no rule 'x'\. The rules are"):
        named([RULE], "x")


@pytest.mark.django_db
def test_the_command_mails_a_test_and_leaves_no_alert_behind() -> None:
    with override_settings(ALERTING_SETTINGS={"CHANNELS": ["email"]}):
        outcome = manage_monitoring("test-alert", "--rule-name", "high_cpu_usage")

    (sent,) = mail.outbox
    assert outcome.exit_code == 0
    assert "email    delivered  alice@example.org, bob@example.org" in outcome.text
    assert "TEST high_cpu_usage" in sent.subject
    assert sent.to == ["alice@example.org", "bob@example.org"]
    assert not Alert.objects.exists()
    assert not Delivery.objects.exists()


@pytest.mark.django_db
def test_one_channel_that_fails_makes_a_warning_and_all_of_them_are_critical(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(*_: object) -> int:
        raise smtplib.SMTPServerDisconnected("the server hung up")

    monkeypatch.setattr(
        "django.core.mail.backends.locmem.EmailBackend.send_messages", refuse
    )
    rule = ("test-alert", "--rule-name", "high_cpu_usage", "--format", "json")

    with override_settings(ALERTING_SETTINGS={"CHANNELS": ["email", "log"]}):
        some = manage_monitoring(*rule)
    with override_settings(ALERTING_SETTINGS={"CHANNELS": ["email"]}):
        none = manage_monitoring(*rule)

    assert (some.exit_code, none.exit_code) == (1, 2)
    assert [each["outcome"] for each in some.json()["channels"]] == [
        "failed",
        "delivered",
    ]
    assert "the server hung up" in none.json()["channels"][0]["reason"]


@pytest.mark.django_db
def test_rules_from_wherever_they_come_can_be_rehearsed() -> None:
    stored = Rule.load({"name": "stored", "metric": "queue_length", "threshold": 10})
    stored_rules.write(stored, user="alice", now=AT)
    alerting_system.add_alert_rule(CodeRule("queue", lambda _: True))
    try:
        with override_settings(ALERTING_SETTINGS={"CHANNELS": ["log"]}):
            codes = [
                manage_monitoring("test-alert", f"--rule-name={name}").exit_code
                for name in ("queue", "stored")
            ]
    finally:
        alerting_system._registered = {}

    assert codes == [0, 0]


def test_without_a_database_the_channels_can_be_tried_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(*_: object) -> NoReturn:
        raise OperationalError("no such table: prs_alerting_storedrule")

    monkeypatch.setattr(stored_rules, "load", fail)
    monkeypatch.setattr(configuration, "stored", fail)

    with override_settings(ALERTING_SETTINGS={"CHANNELS": ["log"]}):
        outcome = manage_monitoring("test-alert", "--rule-name=high_cpu_usage")

    assert outcome.exit_code == 0
