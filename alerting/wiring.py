"""Tie alerting to the site it watches: the only module that imports `prs_otel`."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final, Protocol

from django.db import connections

import prs_otel
from alerting import conf, contributions, dead_letters, documents, history
from alerting.backlog import Backlog
from alerting.channels import build_channels
from alerting.dead_letters import WithDeadLetters
from alerting.dead_mans_switch import DeadMansSwitch
from alerting.diagnosis import diagnose
from alerting.documents import Selection
from alerting.endpoints.site import ChangeableSettings, KeptSettings, Site
from alerting.evaluator import Setting
from alerting.external import Externals, service_of
from alerting.following import Following, look
from alerting.inbox import Inbox
from alerting.journal import SteadyJournal
from alerting.labels import frozen
from alerting.ledger import Ledger
from alerting.outbox import DatabaseBox, JournalledBox, Outbox
from alerting.presence import Presence
from alerting.report import STATUS
from alerting.resending import Resending
from alerting.rulebook import RuleBook
from alerting.rules import Severity
from alerting.rules.budget import TimeBudget
from alerting.runner import Parts, Runner
from alerting.sender import Sender
from alerting.status import Status
from alerting.stored_silences import Silences
from alerting.system import alerting_system
from alerting.tuning import Tuning, cooldown, max_gap

if TYPE_CHECKING:
    from django.urls import URLPattern, URLResolver
    from ninja import NinjaAPI

    from alerting.examination import Finding
    from alerting.rehearsal import Rehearsal
    from alerting.schemas import History

__all__ = [
    "build_runner",
    "connect",
    "current_status",
    "mounted",
    "site",
    "start",
]

STOP_TIMEOUT: Final = 2.0  # seconds for each of the two threads
SECONDS_AN_HOUR: Final = 3_600.0
# The row of the database that has what people change of ALERTING_SETTINGS.
SETTINGS_ROW: Final = 2


class Lease(Protocol):
    """Leadership over one store, as `prs_otel` grants it."""

    @property
    def holder(self) -> str:
        """Who leads."""
        ...

    @property
    def host(self) -> str:
        """On which host."""
        ...

    @property
    def pid(self) -> int:
        """In which process."""
        ...

    @property
    def epoch(self) -> int:
        """For the how-manieth time leadership was taken."""
        ...


def connect() -> None:
    """Stand by: from now on a process that becomes leader evaluates."""
    alerting_system.use_thresholds(prs_otel.thresholds)
    alerting_system.use_source(prs_otel.metric_source)
    alerting_system.use_status(current_status)
    prs_otel.register_command_document("alerts", _alerts_document)
    prs_otel.register_command_document("test-alert", _test_alert)
    prs_otel.register_command_document("exported-rules", _exported_rules)
    prs_otel.register_status("alerting", _package_status)
    prs_otel.register_findings("alerting", _findings)
    prs_otel.register_cleanup("alerting", _clean_up)
    prs_otel.on_lead(start)


def start(lease: Lease) -> Callable[[], None]:
    """Start to evaluate and to send; return what stops it. Does not block."""
    runner = build_runner(lease)
    sending = prs_otel.Background("prs-alerting-sender", runner.deliver)
    evaluating = prs_otel.Background(
        "prs-alerting-evaluator", lambda: runner.tick(time.time())
    )
    runner.wake = sending.wake
    sending.start()
    evaluating.start()

    def stop() -> None:
        for thread in (evaluating, sending):
            thread.stop(STOP_TIMEOUT)

    return stop


def build_runner(lease: Lease) -> Runner:
    """Put an evaluator together, from the settings as they are now."""
    settings = conf.current()
    scope = frozen(prs_otel.identity())
    journal = SteadyJournal(prs_otel.document_store())
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
    following = Following(_kept().stored, journal)
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


@contextmanager
def surroundings() -> Iterator[None]:
    """Use the database as a request would, without being measured."""
    with prs_otel.unmeasured():
        _refresh_connections()
        try:
            yield
        finally:
            _refresh_connections()


def _refresh_connections() -> None:
    """Close what broke or is too old, as Django does around every request."""
    for each in connections.all(initialized_only=True):
        # Even closing may fail when the server is gone. The next query will tell.
        with suppress(*history.DATABASE_ERRORS):
            if not each.in_atomic_block:
                each.close_if_unusable_or_obsolete()


def site() -> Site:
    """Return what the API needs: staff may come in, and read what the evaluator reads."""
    return Site(
        auth=prs_otel.authentication("staff"),
        status=current_status,
        source=prs_otel.metric_source,
        version=prs_otel.__version__,
        around=prs_otel.unmeasured,
        ask=TimeBudget(around=surroundings),
        inbox=_inbox,
        secrets=conf.webhook_secrets,
        settings=ChangeableSettings(
            _kept(),
            may_read=prs_otel.settings_authentication(may_change=False),
            may_change=prs_otel.settings_authentication(may_change=True),
            contended=prs_otel.ContendedError,
        ),
    )


def _kept() -> KeptSettings:
    return prs_otel.KeptSettings(conf.SETTING, row=SETTINGS_ROW)


def _inbox() -> Inbox:
    if prs_otel.is_enabled():
        look(SteadyJournal(prs_otel.document_store()))
    hours = conf.current().webhook_expiry_hours
    service = service_of(frozen(prs_otel.identity()))
    return Inbox(service, hours * SECONDS_AN_HOUR)


def mounted(api: NinjaAPI) -> list[URLPattern | URLResolver]:
    """Return the URL patterns of `api` and of what documents it."""
    return prs_otel.mounted(api)


def current_status(now: float) -> Status:
    """Return the status that the evaluator has published; empty where switched off."""
    if not prs_otel.is_enabled():
        # To ask the store would create it.
        return Status()
    known = [rule.name for rule in alerting_system.get_rules()]
    document = SteadyJournal(prs_otel.document_store()).get(STATUS)
    return documents.status(document, known_rules=known, now=now)


def _alerts_document(request: prs_otel.DocumentRequest) -> History:
    severity = None if request.severity is None else Severity(request.severity)
    selection = Selection(request.hours, severity, request.limit)
    with prs_otel.unmeasured():
        return documents.history(selection, now=request.now)


def _test_alert(request: prs_otel.DocumentRequest) -> Rehearsal:
    with prs_otel.unmeasured():
        return contributions.rehearsed(
            request.name, project=prs_otel.service_name(), now=request.now
        )


def _clean_up(now: float) -> dict[str, int]:
    if not prs_otel.is_enabled():
        return {}
    with prs_otel.unmeasured():
        return contributions.cleaned(now=now)


def _exported_rules(request: prs_otel.DocumentRequest) -> dict[str, object]:
    with prs_otel.unmeasured():
        return contributions.exported_rules(prs_otel.prometheus_expression)


def _findings(request: prs_otel.StatusRequest) -> list[Finding]:
    since = request.workers_since
    # Where nobody works nobody evaluates; and to ask the store would create it.
    status = None if since is None else current_status(request.now)
    return list(contributions.findings(status, now=request.now, workers_since=since))


def _package_status(request: prs_otel.StatusRequest) -> prs_otel.PackageStatus:
    status = current_status(request.now)
    found = diagnose(status, now=request.now, workers_since=request.workers_since)
    return prs_otel.PackageStatus(status, tuple(found), conf.problems())
