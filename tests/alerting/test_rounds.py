from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from django.core import mail
from django.db import connection, models
from django.test import override_settings
from django.test.utils import CaptureQueriesContext

from alerting import conf
from alerting.journal import MemoryJournal, UntouchedJournal
from alerting.models import (
    Alert,
    AlertTransition,
    Delivery,
    Evaluator,
    ExternalAlert,
)
from alerting.notifications.telling import GROUPED, Outcome
from alerting.rounds import CONTENDED, carried_out, previewed
from alerting.rules import CodeRule
from alerting.sender import Sender
from alerting.system import alerting_system
from alerting.wiring.surroundings import SETTINGS_ROW
from prs_otel import pipeline
from prs_otel.models import Configuration
from prs_otel.monitoring.registry import RoundRequest, requested_round
from tests.support.alerting_world import METRIC, World, alerts
from tests.support.clock import Clock

pytestmark = pytest.mark.django_db


def measuring(value: float) -> World:
    """Return an evaluator that finds this value at its next evaluation."""
    world = World()
    world.clock.advance(15)
    world.source.says(METRIC, value)
    return world


def rows() -> dict[str, int]:
    tables: tuple[type[models.Model], ...] = (
        Alert,
        AlertTransition,
        Delivery,
        Evaluator,
    )
    return {model.__name__: model._default_manager.count() for model in tables}


def test_a_round_evaluates_keeps_and_tells() -> None:
    world = measuring(0.95)

    done = carried_out(world.runner, now=world.clock.now)

    assert world.channel.told == ["high_cpu_usage firing critical"]
    assert alerts() == [("high_cpu_usage", "critical", "firing")]
    assert not done.is_dry
    assert (done.rules, done.firing, done.problems) == (1, {"critical": 1}, [])
    (step,), (told,) = done.alerts, done.notifications
    assert (step.alert, step.kind, step.value, step.threshold) == (
        "high_cpu_usage",
        "firing",
        0.95,
        0.9,
    )
    assert (told.channel, told.outcome) == ("fake", Outcome.SENT)


def test_a_round_tells_what_an_earlier_one_could_not() -> None:
    world = measuring(0.95)
    world.channel.fails()
    failed = carried_out(world.runner, now=world.clock.now)
    heir = world.successor()
    heir.clock.advance(3_600)

    done = carried_out(heir.runner, now=heir.clock.now)

    assert [(t.outcome, t.reason) for t in failed.notifications] == [
        (Outcome.DUE, "refused")
    ]
    assert failed.problems == ["Alerts are not told by fake: refused"]
    assert [t.outcome for t in done.notifications] == [Outcome.SENT]
    assert world.channel.told == ["high_cpu_usage firing critical"]


def test_a_round_ends_though_there_is_always_more_to_send(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world, took = measuring(0.5), Clock(0.0)

    def send_next(_: Sender) -> bool:
        took.advance(50.0)
        return True

    monkeypatch.setattr(Sender, "send_next", send_next)

    carried_out(world.runner, now=world.clock.now, clock=took)

    # Not one more is begun, whatever a message takes.
    assert took.now == 100.0


def test_a_round_that_never_is_the_first_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = measuring(0.95)
    monkeypatch.setattr(world.ledger, "commit", lambda *_, **__: False)

    done = carried_out(world.runner, now=world.clock.now)

    assert done.problems == [CONTENDED]
    assert (done.alerts, done.notifications) == ([], [])


def test_a_rule_that_cannot_be_evaluated_is_a_problem() -> None:
    world = World([CodeRule("broken", lambda _: 1 / 0 > 1)])

    done = carried_out(world.runner, now=world.clock.now)

    assert len(done.problems) == 1
    assert "The rule broken cannot be evaluated" in done.problems[0]


def test_a_preview_says_what_a_round_would_do_and_does_nothing() -> None:
    below = MemoryJournal()
    world = measuring(0.95)
    dry = world.successor(journal=UntouchedJournal(below))
    before = rows()

    with CaptureQueriesContext(
        connection,
    ) as queries:
        done = previewed(dry.runner, now=world.clock.now)

    assert done.is_dry
    assert [(s.alert, s.kind, s.severity) for s in done.alerts] == [
        ("high_cpu_usage", "firing", "critical")
    ]
    assert [(t.channel, t.outcome) for t in done.notifications] == [("fake", "due")]
    assert [q["sql"] for q in queries if not q["sql"].startswith("SELECT")] == []
    assert rows() == before
    assert world.channel.tried == []
    assert below.keys("") == []


def test_a_preview_knows_what_fires_already_and_what_waits() -> None:
    world = measuring(0.95)
    world.channel.fails()
    carried_out(world.runner, now=world.clock.now)
    dry = world.successor(journal=UntouchedJournal(world.journal))
    before = rows()

    going_on = previewed(dry.runner, now=world.clock.now + 15)
    world.source.says(METRIC, 0.1)
    over = previewed(dry.runner, now=world.clock.now + 30)

    assert going_on.alerts == []
    assert [(t.kind, t.outcome) for t in going_on.notifications] == [("firing", "due")]
    assert going_on.firing == {"critical": 1}
    assert [s.kind for s in over.alerts] == ["resolved"]
    assert rows() == before


def test_a_preview_takes_on_no_alert_of_another_system() -> None:
    world = measuring(0.5)
    ExternalAlert.objects.create(
        source="grafana",
        fingerprint="f",
        name="disk_full",
        severity="critical",
        is_firing=True,
        expires_at=world.clock.now + 3_600,
        received_at="2026-01-01T00:00:00Z",
    )
    dry = World(scope=(("host.name", "web1"),), source=world.source, clock=world.clock)

    done = previewed(dry.runner, now=world.clock.now)

    assert [step.alert for step in done.alerts] == ["disk_full"]
    assert ExternalAlert.objects.get().scope == ""
    assert not ExternalAlert.objects.get().is_noticed


def test_a_journal_that_is_only_read_shows_what_is_below_and_what_is_new() -> None:
    below = MemoryJournal()
    below.put("a", b"1")
    below.put("b", b"2")
    journal = UntouchedJournal(below)

    journal.put("c", b"3")
    journal.put("a", b"9")
    journal.delete("b")

    assert (journal.get("a"), journal.get("b"), journal.get("c")) == (b"9", None, b"3")
    assert journal.keys("") == ["a", "c"]
    assert (below.keys(""), below.get("a")) == (["a", "b"], b"1")


@pytest.fixture
def alarm(monkeypatch: pytest.MonkeyPatch) -> Iterator[CodeRule]:
    with override_settings(MONITORING_SETTINGS={"STORE": "memory://rounds"}):
        monkeypatch.setattr(pipeline, "_current", None)
        rule = CodeRule("always", lambda _: True)
        alerting_system.add_alert_rule(rule)
        yield rule
        alerting_system._registered = {}
        monkeypatch.setattr(pipeline, "_current", None)
    conf.change({})


@pytest.mark.usefixtures("alarm")
def test_without_a_lease_the_real_evaluator_only_previews() -> None:
    before = rows()

    done = requested_round("alerting", RoundRequest(time.time(), None))

    assert done is not None
    assert done["is_dry"] is True
    assert "always" in {step["alert"] for step in done["alerts"]}  # type: ignore[attr-defined]
    assert rows() == before
    assert mail.outbox == []
    assert pipeline.store().keys("alerting/") == []


@pytest.mark.usefixtures("alarm")
def test_a_preview_works_by_the_settings_as_they_were_changed() -> None:
    Configuration.objects.create(
        pk=SETTINGS_ROW, changes={"GROUP_WAIT_SECONDS": 600}, revision=1
    )

    done = requested_round("alerting", RoundRequest(time.time(), None))

    assert done is not None
    reasons = {told["reason"] for told in done["notifications"]}  # type: ignore[attr-defined]
    assert any(reason.startswith(GROUPED) for reason in reasons), reasons
    assert pipeline.store().keys("alerting/") == []
