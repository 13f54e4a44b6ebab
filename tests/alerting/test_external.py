from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NoReturn

import pytest
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext

from alerting import evaluator, external, external_rows, history
from alerting.acknowledgement import acknowledge
from alerting.channels.markup import html
from alerting.explanation import explain_rule
from alerting.external import KEPT, Externals
from alerting.inbox import Inbox
from alerting.labels import Labels
from alerting.models import Alert, ExternalAlert, ReceivedSignature
from alerting.notifications.message import text
from alerting.notifications.policy import Limits
from alerting.notifications.routing import Routing, SendTo
from alerting.notifications.silence import Silence
from alerting.outbox import database
from alerting.presence import SILENT_AFTER
from alerting.rules import load_rule
from alerting.status import Status
from alerting.stored_silences import create, timed
from alerting.webhook import forms
from tests.support import posts
from tests.support.alerting_world import RULE, FakeChannel, World, alerts, deliveries
from tests.support.clock import Clock

pytestmark = pytest.mark.django_db

EXPIRY = 3600.0
OVER: dict[str, Any] = {"name": "queue_backlog", "status": "resolved"}


def scope(host: str, service: str = "shop") -> Labels:
    return (("host.name", host), ("service.name", service))


def world(host: str = "web1", clock: Clock | None = None, **changes: Any) -> World:
    return World(
        scope=scope(host),
        channels=[FakeChannel()],
        clock=clock or Clock(),
        rules=[],
        **changes,
    )


@dataclass
class Sender:
    """Another system that posts to the service of a world."""

    clock: Clock
    service: str = "shop"
    source: str = ""
    inbox: Inbox = field(init=False)

    def __post_init__(self) -> None:
        self.inbox = Inbox(self.service, EXPIRY)

    def posts(self, document: object) -> None:
        now = self.clock.now
        batch = forms.read(document, now=now)
        self.inbox.keep(batch.alerts, self.source or batch.form, now=now)

    def fires(self, **fields: Any) -> None:
        self.posts(posts.simple(**fields))

    def is_over(self, **fields: Any) -> None:
        self.posts({**OVER, **fields})


@pytest.fixture
def ours() -> World:
    return world()


@pytest.fixture
def sender(ours: World) -> Sender:
    return Sender(ours.clock)


def test_it_is_told_once_and_so_is_its_end(ours: World, sender: Sender) -> None:
    sender.fires()
    ours.step()
    sender.fires()
    ours.step()
    sender.is_over()
    ours.step()
    ours.step()

    assert ours.channel.told == [
        "queue_backlog firing critical",
        "queue_backlog resolved critical",
    ]
    assert alerts() == [("queue_backlog", "critical", "resolved")]
    assert ExternalAlert.objects.get().is_settled


def test_the_message_says_what_the_sender_said(ours: World, sender: Sender) -> None:
    sender.fires(
        url="https://example.org/q",
        labels={"queue": "mail"},
        starts_at="2026-01-31T12:00:00Z",
    )
    ours.step()

    [message] = ours.channel.sent
    said = text(message)
    assert "The queue has 5,000 jobs" in said
    for fact in ("queue = mail", "alert.source = webhook", "jobs = 5000", "https://"):
        assert fact in said
    evidence = Alert.objects.get().evidence
    assert evidence["metrics"]["jobs"] == 5000
    assert evidence["starts_at"] == "2026-01-31T12:00:00+00:00"


def test_what_the_sender_says_is_neither_template_nor_markup_nor_header(
    ours: World, sender: Sender
) -> None:
    said = "{cpu_percent} %s ${x} <script>alert(1)</script>\r\nBcc: all@example.org"
    sender.fires(message=said, metrics={"<b>": "{0}"})
    ours.step()

    [message] = ours.channel.sent
    assert "{cpu_percent} %s ${x} <script>" in text(message)
    assert "\nBcc" not in text(message)
    assert "<script>" not in html(message)
    assert "<b>" not in html(message)


def test_a_worse_severity_escalates_the_same_alert(ours: World, sender: Sender) -> None:
    for severity in ("warning", "critical", "warning"):
        sender.fires(severity=severity)
        ours.step()

    assert alerts() == [("queue_backlog", "critical", "firing")]
    assert ours.channel.told == [
        "queue_backlog firing warning",
        "queue_backlog escalated critical",
    ]


def test_two_severities_of_the_same_labels_are_one_alert(
    ours: World, sender: Sender
) -> None:
    bad = posts.prometheus_alert()
    mild = posts.prometheus_alert(
        labels={**bad["labels"], "severity": "warning"}, fingerprint="2"
    )
    sender.posts(posts.alertmanager(mild, bad))
    ours.step()

    assert alerts() == [("InstanceDown", "critical", "firing")]


def test_one_that_was_over_before_anybody_looked_is_told(
    ours: World, sender: Sender
) -> None:
    sender.fires()
    sender.is_over()
    ours.step()
    ours.step()

    assert ours.channel.told == [
        "queue_backlog firing critical",
        "queue_backlog resolved critical",
    ]


def test_one_that_comes_again_is_a_new_alert(ours: World, sender: Sender) -> None:
    for _ in range(2):
        sender.fires()
        ours.step()
        sender.is_over()
        ours.step()

    assert [state for *_, state in alerts()] == ["resolved", "resolved"]
    assert len(ours.channel.told) == 4


def test_one_that_nobody_repeats_expires(ours: World, sender: Sender) -> None:
    sender.fires()
    ours.step()
    ours.step(after=EXPIRY - 60)
    assert alerts() == [("queue_backlog", "critical", "firing")]

    ours.step(after=120)

    assert alerts() == [("queue_backlog", "critical", "resolved")]
    assert Alert.objects.get().reason == "no data"
    assert not ExternalAlert.objects.get().is_firing
    # Expired is not resolved: the same alert may go on.
    sender.fires()
    ours.step()
    assert len(alerts()) == 2


def test_one_ends_when_its_sender_said_it_would(ours: World, sender: Sender) -> None:
    ends = "2100-01-01T00:00:00Z"
    sender.fires(ends_at=ends)
    assert ExternalAlert.objects.get().expires_at == 4102444800.0


def test_sources_do_not_meet(ours: World, sender: Sender) -> None:
    other = Sender(ours.clock, source="elsewhere")
    sender.fires()
    other.fires()
    ours.step()
    other.is_over()
    ours.step()

    states = {a.labels["alert.source"]: a.state for a in Alert.objects.all()}
    assert states == {"webhook": "firing", "elsewhere": "resolved"}


def test_services_do_not_meet(ours: World) -> None:
    Sender(ours.clock, service="other").fires()
    ours.step()

    assert alerts() == []


def test_it_never_passes_for_a_rule_of_ours(ours: World, sender: Sender) -> None:
    ours.rules.append(load_rule(RULE))
    sender.fires(name="high_cpu_usage")
    ours.step(0.5)

    assert alerts() == [("webhook/high_cpu_usage", "critical", "firing")]

    ours.step(0.95)
    sender.is_over(name="high_cpu_usage")
    ours.step(0.95)

    assert set(alerts()) == {
        ("webhook/high_cpu_usage", "critical", "resolved"),
        ("high_cpu_usage", "critical", "firing"),
    }


def test_not_even_by_a_name_that_both_have_taken(ours: World, sender: Sender) -> None:
    ours.rules += [load_rule({**RULE, "name": name}) for name in ("a", "webhook/a")]
    sender.fires(name="a")
    ours.step(0.5)

    print_ = ExternalAlert.objects.get().fingerprint
    assert alerts() == [(f"webhook/{print_}", "critical", "firing")]


def test_a_rule_that_takes_the_name_later_takes_nothing_else(
    ours: World, sender: Sender
) -> None:
    sender.fires(name="high_cpu_usage")
    ours.step()
    ours.rules.append(load_rule(RULE))
    ours.step(0.5)

    assert sorted(alerts()) == [
        ("high_cpu_usage", "critical", "resolved"),
        ("webhook/high_cpu_usage", "critical", "firing"),
    ]
    old = Alert.objects.get(name="high_cpu_usage")
    assert old.reason == "another rule has taken its name"

    ours.rules.clear()
    ours.step()
    assert ("high_cpu_usage", "critical", "firing") in alerts()


def test_a_rule_of_ours_leaves_its_name_to_nobody(ours: World, sender: Sender) -> None:
    ours.rules.append(load_rule(RULE))
    ours.step(0.95)
    ours.rules.clear()
    sender.fires(name="high_cpu_usage")
    ours.step()

    found = {
        (a.labels.get("alert.source"), a.state, a.reason) for a in Alert.objects.all()
    }
    assert found == {
        (None, "resolved", "another rule has taken its name"),
        ("webhook", "firing", ""),
    }


def test_it_can_be_silenced(ours: World, sender: Sender) -> None:
    matchers = {"alert.source": "webhook", "queue": "mail"}
    silence: Silence = timed(matchers, hours=1, comment="moving", now=ours.clock.now)
    create(silence, author="alice", now=ours.clock.now)
    sender.fires(labels={"queue": "mail"})
    ours.step()

    assert ours.channel.told == []
    [(_, state, reason)] = deliveries()
    assert state == "due"
    assert "moving" in reason


def test_it_goes_where_the_routes_say(sender: Sender, ours: World) -> None:
    channels = [FakeChannel("one"), FakeChannel("two")]
    route = SendTo.model_validate({"matchers": {"queue": "mail"}, "channels": ["two"]})
    routed = World(
        scope=scope("web1"),
        channels=channels,
        clock=ours.clock,
        rules=[],
        routing=Routing((route,)),
    )
    sender.fires(labels={"queue": "mail"})
    routed.step()

    assert [len(channel.told) for channel in channels] == [0, 1]


def test_it_has_its_cooldown_and_hourly_limit(ours: World, sender: Sender) -> None:
    limited = world(clock=ours.clock, limits=Limits(cooldown=900.0, per_hour=3))
    for at in range(6):
        sender.fires(labels={"at": str(at)})
    limited.step()

    assert [len(message.notices) for message in limited.channel.sent] == [3]
    sender.is_over(labels={"at": "0"})
    limited.step()
    sender.fires(labels={"at": "0"})
    limited.step()
    assert "cooldown" in " ".join(reason for _, _, reason in deliveries())


def test_it_can_be_acknowledged(ours: World, sender: Sender) -> None:
    sender.fires()
    ours.step()
    [alert] = Alert.objects.all()

    assert acknowledge(alert.pk, user="alice", note="on it", now=ours.clock.now)


def test_it_is_explained_step_by_step(ours: World, sender: Sender) -> None:
    sender.fires()
    ours.step()
    sender.is_over()
    ours.step()

    [found] = explain_rule("queue_backlog", Status()).alerts
    told = [(step.kind, [d.state for d in step.deliveries]) for step in found.steps]
    assert told == [("firing", ["sent"]), ("resolved", ["sent"])]


def test_a_restart_keeps_it(ours: World, sender: Sender) -> None:
    sender.fires()
    ours.step()
    successor = ours.successor()
    successor.step()
    sender.is_over()
    successor.step()

    assert ours.channel.told == [
        "queue_backlog firing critical",
        "queue_backlog resolved critical",
    ]


def test_of_two_hosts_one_tells(ours: World, sender: Sender) -> None:
    other = world("web2", ours.clock)
    sender.fires()
    ours.step()
    other.step()
    ours.step()
    sender.is_over()
    other.step()
    ours.step()

    assert other.channel.told == []
    assert len(ours.channel.told) == 2
    assert "host.name" not in Alert.objects.get().labels


def test_a_host_takes_over_what_fires_without_telling_it_again(
    ours: World, sender: Sender
) -> None:
    other = world("web2", ours.clock)
    sender.fires()
    ours.step()
    other.step()
    other.step(after=SILENT_AFTER + 60)
    other.step()
    assert other.channel.told == []
    assert alerts() == [("queue_backlog", "critical", "firing")]

    sender.is_over()
    other.step()

    assert other.channel.told == ["queue_backlog resolved critical"]
    ours.step()
    assert len(ours.channel.told) == 1


def broken(*_: object, **__: object) -> NoReturn:
    raise OperationalError("gone")


def test_without_the_database_what_fires_goes_on(
    ours: World, sender: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    sender.fires()
    ours.step()
    with monkeypatch.context() as outage:
        outage.setattr(Externals, "_read", broken)
        ours.step()
        # Nor does one who has never read any take it for over.
        successor = ours.successor()
        successor.step()
        assert alerts() == [("queue_backlog", "critical", "firing")]

    sender.is_over()
    successor.step()
    assert alerts() == [("queue_backlog", "critical", "resolved")]


def test_while_the_ledger_does_without_the_database_nobody_waits_for_it(
    ours: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Externals, "_read", None)

    Externals(scope("web1")).refresh(is_database_used=False)


def test_what_cannot_be_noted_is_noted_later(
    ours: World, sender: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    sender.fires()
    with monkeypatch.context() as outage:
        outage.setattr(Externals, "_note", broken)
        ours.step()
    ours.step()
    sender.is_over()
    ours.step()

    assert len(ours.channel.told) == 2
    assert ExternalAlert.objects.get().is_settled


def test_one_that_fires_again_at_that_moment_is_not_settled(
    ours: World, sender: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    sender.fires()
    ours.step()
    sender.is_over()
    note = Externals._note

    def note_late(*arguments: Any) -> None:
        sender.fires()
        note(*arguments)

    with monkeypatch.context() as race:
        race.setattr(Externals, "_note", note_late)
        ours.step()
    ours.step()

    assert [state for *_, state in alerts()] == ["resolved", "firing"]


def test_one_whose_row_is_gone_is_over(ours: World, sender: Sender) -> None:
    sender.fires()
    ours.step()
    ExternalAlert.objects.all().delete()
    ours.step()

    assert alerts() == [("queue_backlog", "critical", "resolved")]


def test_what_was_over_long_ago_is_forgotten(ours: World, sender: Sender) -> None:
    sender.fires()
    ours.step()
    sender.is_over()
    ours.step()
    ours.step(after=KEPT - 60)
    assert ExternalAlert.objects.count() == 1

    ours.step(after=external.PRUNED_EVERY + 60)

    assert ExternalAlert.objects.count() == 0


def test_what_the_evaluator_did_not_get_to_keep_is_judged_again(
    ours: World, sender: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    sender.fires()
    with monkeypatch.context() as late:
        late.setattr(ours.ledger, "commit", lambda *_, **__: False)
        ours.step()

    assert not ExternalAlert.objects.get().is_noticed
    ours.step()
    assert len(ours.channel.told) == 1


def test_of_too_many_of_a_name_the_others_wait_until_they_are_judged(
    ours: World, sender: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evaluator, "SERIES_LIMIT", 2)
    for at in "abc":
        sender.fires(labels={"at": at})
    ours.step()
    sender.is_over(labels={"at": "c"})
    ours.step()
    assert len(alerts()) == 2
    for at in "ab":
        sender.is_over(labels={"at": at})
    for _ in range(3):
        ours.step()

    assert [state for *_, state in alerts()] == ["resolved"] * 3


def test_rows_have_names_for_people() -> None:
    assert str(ExternalAlert(name="a", source="b")) == "a (b)"
    assert str(ReceivedSignature(digest="abc")) == "abc"


def test_a_storm_is_one_digest(ours: World, sender: Sender) -> None:
    limited = world(clock=ours.clock, limits=Limits(cooldown=0.0, per_hour=2))
    entries = [
        posts.prometheus_alert(
            labels={"alertname": "InstanceDown", "instance": str(at)},
            fingerprint=str(at),
        )
        for at in range(500)
    ]
    sender.posts(posts.alertmanager(*entries))
    limited.step()
    limited.step(after=400)

    assert sum(len(message.notices) for message in limited.channel.sent) == 500
    assert len(limited.channel.sent) == 2


def names(sender: Sender, *found: object, **fields: Any) -> None:
    sender.posts(
        posts.alertmanager(
            *(
                posts.prometheus_alert(
                    labels={"alertname": f"Down{at}", "at": str(at)},
                    fingerprint=str(at),
                    **fields,
                )
                for at in found
            )
        )
    )


def test_a_storm_of_many_names_is_one_digest(
    ours: World, sender: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What is due is read in parts, but a digest is sent as one.
    monkeypatch.setattr(database, "DUE_LIMIT", 20)
    limited = world(clock=ours.clock, limits=Limits(cooldown=0.0, per_hour=2))
    names(sender, *range(100))
    limited.step()
    limited.step(after=60)

    assert [len(message.notices) for message in limited.channel.sent] == [2, 98]
    assert "more than 2 alerts of this source in an hour" in deliveries()[-1][2]


def test_each_source_has_its_own_hourly_limit(ours: World, sender: Sender) -> None:
    limited = world(clock=ours.clock, limits=Limits(cooldown=0.0, per_hour=2))
    names(sender, "a", "b", "c")
    names(Sender(ours.clock, source="other"), "d")
    limited.step()

    assert [len(message.notices) for message in limited.channel.sent] == [3]


def test_a_storm_that_an_evaluator_takes_over_is_resolved(
    ours: World, sender: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history, "TELLINGS_LIMIT", 3)
    names(sender, *range(10))
    ours.step()
    successor = ours.successor()
    names(sender, *range(10), status="resolved")
    successor.step()

    over = [n for m in ours.channel.sent for n in m.notices if n.kind == "resolved"]
    assert len(over) == 10


def test_a_storm_is_taken_on_in_parts_without_a_pause(
    ours: World, sender: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(external, "INTAKE", 4)
    names(sender, *range(10))

    waits = []
    for _ in range(4):
        waits.append(ours.runner.tick(ours.clock.now))
        ours.clock.advance(1.0)

    assert waits == [0.0, 0.0, 15.0, 15.0]
    assert len(alerts()) == 10


def test_those_of_one_name_that_must_wait_keep_nobody_else_out(
    ours: World, sender: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(external, "INTAKE", 2)
    monkeypatch.setattr(evaluator, "SERIES_LIMIT", 2)
    for at in "abcdef":
        sender.fires(labels={"at": at})
    sender.fires(name="another")
    ours.step()
    ours.step()

    assert [name for name, *_ in alerts()] == ["queue_backlog"] * 2 + ["another"]


def questions(world: World) -> list[str]:
    with CaptureQueriesContext(connection) as queries:
        world.evaluate()
    asked = [query["sql"] for query in queries.captured_queries]
    return [sql for sql in asked if "externalalert" in sql and sql.startswith("SELECT")]


def test_what_has_not_changed_is_not_read_again(ours: World, sender: Sender) -> None:
    names(sender, *range(5))
    ours.step()

    [noticed], [asked] = questions(ours), questions(ours)

    assert "COUNT" in noticed
    assert "COUNT" in asked


def test_only_what_was_received_lately_is_read_again(
    ours: World, sender: Sender
) -> None:
    names(sender, *range(5))
    ours.step()
    ours.step(after=60)
    names(sender, 3, 7)

    *_, read = questions(ours)

    assert '"received_at" >=' in read
    assert len(alerts()) == 6
    assert len(questions(ours)) == 1


@pytest.mark.parametrize("behind", [0.0, 600.0])
def test_what_a_worker_with_a_clock_behind_has_received_is_read(
    ours: World, sender: Sender, behind: float
) -> None:
    sender.fires()
    ours.step(after=60)
    late = Sender(Clock(ours.clock.now - behind))
    late.fires(severity="error")
    late.fires(name="another")
    ours.step()
    late.is_over()
    ours.step()

    assert alerts() == [
        ("queue_backlog", "critical", "resolved"),
        ("another", "critical", "firing"),
    ]


def test_now_and_then_all_is_read(ours: World, sender: Sender) -> None:
    sender.fires()
    for _ in range(external_rows.READ_ANEW_EVERY):
        ours.step()

    assert [len(questions(ours)) for _ in range(3)].count(2) == 1
