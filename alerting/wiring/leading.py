"""Put an evaluator and a sender together, and have them work while this process leads."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

import prs_otel
from alerting import conf, database, dead_letters, history
from alerting.backlog import Backlog
from alerting.channels import build_channels
from alerting.database import Asker, asked_by
from alerting.dead_letters import WithDeadLetters
from alerting.dead_mans_switch import DeadMansSwitch
from alerting.evaluator import Setting
from alerting.external import Externals
from alerting.following import Following
from alerting.journal import SteadyJournal, UntouchedJournal
from alerting.labels import frozen
from alerting.ledger import Ledger
from alerting.outbox import DatabaseBox, JournalledBox, Outbox
from alerting.presence import Presence
from alerting.resending import Resending
from alerting.rulebook import RuleBook
from alerting.rules.budget import TimeBudget
from alerting.runner import Parts, Runner
from alerting.sender import Sender
from alerting.stored_silences import Silences
from alerting.system import alerting_system
from alerting.tuning import Tuning, cooldown, max_gap
from alerting.wiring.announcing import announce
from alerting.wiring.surroundings import kept, surroundings

if TYPE_CHECKING:
    from alerting.wiring.lease import Lease

THREADS: Final = ("prs-alerting-sender", "prs-alerting-evaluator")
ASKERS: Final = tuple(f"{name}-database" for name in THREADS)
STOP_TIMEOUT: Final = 2.0  # seconds for each of the two threads


def start(lease: Lease) -> Callable[[], None]:
    """Start to evaluate and to send; return what stops it. Does not block."""
    runner = build_runner(lease)
    patience = database.PATIENCE
    askers = [Asker(name, around=surroundings, patience=patience) for name in ASKERS]

    def deliver() -> float:
        with asked_by(askers[0]):
            return runner.deliver()

    def evaluate() -> float:
        with asked_by(askers[1]):
            return runner.tick(time.time())

    sending, evaluating = map(prs_otel.Background, THREADS, (deliver, evaluate))
    runner.wake = sending.wake
    prs_otel.follow_active_alerts(runner.active)
    sending.start()
    evaluating.start()

    def stop() -> None:
        prs_otel.follow_active_alerts(None)
        for thread in (evaluating, sending):
            thread.stop(STOP_TIMEOUT)
        for asker in askers:
            asker.close()

    return stop


def build_runner(lease: Lease, *, is_dry: bool = False) -> Runner:
    """Put an evaluator together, from the settings as they are now.

    What a dry one would leave in the store stays in memory.
    """
    settings = conf.current()
    scope = frozen(prs_otel.identity())
    store = prs_otel.document_store()
    journal = SteadyJournal(UntouchedJournal(store) if is_dry else store)
    backlog = Backlog(journal)
    ledger = Ledger(
        journal,
        backlog,
        holder=f"{lease.holder}:{lease.epoch}",
        scope=scope,
        cooldown=cooldown(settings),
    )
    channels = {channel.name: channel for channel in build_channels(settings.channels)}
    outbox = Outbox(
        ledger,
        DatabaseBox(history.scope_name(scope)),
        JournalledBox(backlog, ledger),
        batch_size=settings.email_batch_size,
    )
    book = RuleBook(alerting_system.get_rules, journal)
    source = WithDeadLetters(prs_otel.metric_source(), ledger, channels)
    following = Following(kept().stored, journal)
    tuning = Tuning(source, ledger, channels, outbox, Silences(), following)
    # Where there is no other channel nobody can be told.
    own = (dead_letters.RULE,) if len(channels) > 1 else ()
    parts = Parts(
        rules=lambda: (*own, *book.rules()),
        source=source,
        ledger=ledger,
        presence=Presence(scope),
        externals=Externals(scope),
        retention=tuning.retention(settings),
        notifier=tuning.notifier(settings),
        sender=Sender(
            outbox, channels, clock=time.time, project=prs_otel.service_name()
        ),
        resending=Resending(channels, ledger, find=outbox.notices),
        journal=journal,
        setting=Setting(
            max_gap=max_gap(settings),
            scope=scope,
            ask=TimeBudget(around=surroundings),
        ),
        interval=settings.evaluation_interval,
        host=lease.host,
        pid=lease.pid,
        switch=_switch(settings),
        announce=announce,
        surroundings=surroundings,
        follow=tuning.follow,
        trace_url=settings.trace_url_template,
        cooldown=cooldown(settings),
    )
    return Runner(parts, clock=time.time)


def _switch(settings: conf.AlertingSettings) -> DeadMansSwitch | None:
    address = settings.dead_mans_switch_url
    if address is None:
        return None
    return DeadMansSwitch(address, patience=max_gap(settings))
