"""Evaluate, commit, deliver: what the one elected process does, step by step.

`tick` is one evaluation and `deliver` sends what is due. They run on two threads, so
that a channel that hangs never delays an evaluation. Neither raises for what rules,
channels, the database or the journal do wrong.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from alerting.evaluator import Setting, evaluate
from alerting.notifications.company import in_company
from alerting.notifications.firing import open_alerts
from alerting.report import STATUS, Report, report

if TYPE_CHECKING:
    from alerting.dead_mans_switch import DeadMansSwitch
    from alerting.external import Externals
    from alerting.journal import SteadyJournal
    from alerting.ledger import Ledger
    from alerting.notice import Notice
    from alerting.notifications.telling import Telling
    from alerting.notifier import Notifier, States
    from alerting.presence import Presence
    from alerting.record import Record
    from alerting.resending import Resending
    from alerting.retention import Retention
    from alerting.rules import AnyRule, Judged
    from alerting.sender import Sender
    from alerting.source import MetricSource
    from alerting.status import Status

__all__ = ["Parts", "Runner"]

logger = logging.getLogger("prs_otel")

IDLE: Final = 2.0  # seconds until the sender looks again if nobody wakes it
MESSAGES_PER_STEP: Final = 20


@dataclass(frozen=True, slots=True)
class Parts:
    """What a runner is made of. `surroundings` is entered around everything it does.

    `follow` returns them as changed settings say, before each evaluation; `revision` is
    that of these settings, `cooldown` what they say of it in seconds, `trace_url` how they
    address a trace. `announce` is told what has happened once it is kept.
    """

    rules: Callable[[], Sequence[AnyRule]]
    source: MetricSource
    ledger: Ledger
    presence: Presence
    externals: Externals
    retention: Retention
    notifier: Notifier
    sender: Sender
    resending: Resending
    journal: SteadyJournal
    setting: Setting
    interval: float
    host: str
    pid: int
    switch: DeadMansSwitch | None = None
    announce: Callable[[Sequence[Notice]], None] = lambda notices: None
    surroundings: Callable[[], AbstractContextManager[object]] = nullcontext
    follow: Callable[[Parts], Parts] = lambda parts: parts
    revision: int = 0
    cooldown: float = 0.0
    trace_url: str | None = None


class Runner:
    """One evaluator."""

    def __init__(self, parts: Parts, *, clock: Callable[[], float]) -> None:
        self.wake: Callable[[], None] = lambda: None
        """Called when there is something to send."""
        self._parts = parts
        self._clock = clock
        self.record: Record | None = None
        """What the last evaluation has left behind; None when another was first."""
        self._report: Report | None = None

    def tick(self, now: float) -> float:
        """Evaluate once and commit; return the seconds until the next time."""
        with self._parts.surroundings():
            self._parts = parts = self._parts.follow(self._parts)
            rules = {rule.name: rule for rule in parts.rules()}
            if parts.presence.renew(now=now):
                parts.ledger.forget()
            parts.notifier.refresh(now=now)
            parts.ledger.prepare(now=now, cooldowns=_cooldowns(parts, rules))
            last, record, states = self._evaluated(rules, now)
            self.record, has_more = None, False
            if parts.ledger.commit(record, states, now=now):
                self.record = record
                parts.announce(record.notices)
                has_more = parts.externals.settle(states.keys(), now=now)
                if record.tellings:
                    self.wake()
            parts.retention.prune(now=now)
            status = report(last, parts)
            parts.journal.put(STATUS, status.model_dump_json().encode())
        if has_more:
            return 0.0
        # Not later, even if the clock was set back meanwhile.
        left = min(now + parts.interval - self._clock(), parts.interval)
        return max(0.0, left)

    def preview(self, now: float) -> Record:
        """Return what an evaluation would leave behind; none is kept, and nobody told."""
        with self._parts.surroundings():
            self._parts = parts = self._parts.follow(self._parts)
            rules = {rule.name: rule for rule in parts.rules()}
            parts.ledger.peek(now=now, cooldowns=_cooldowns(parts, rules))
            return self._evaluated(rules, now, is_kept=False)[1]

    def active(self) -> Mapping[tuple[str, str], int]:
        """Return how many alerts fire, by rule and severity. For any thread."""
        return Counter(
            (state.rule, state.severity.value)
            for state in self._parts.ledger.states.values()
            if state.is_open and state.severity is not None
        )

    def tellings(self) -> dict[str, Telling]:
        """Return by key what was or is to be told, as far as it still matters."""
        return {telling.key: telling for telling in self._parts.ledger.tellings()}

    def _evaluated(
        self, rules: Mapping[str, AnyRule], now: float, *, is_kept: bool = True
    ) -> tuple[Report, Record, States]:
        parts = self._parts
        judged = self._judged(rules, now, is_kept=is_kept)
        evaluation = evaluate(
            judged.values(),
            parts.source,
            parts.ledger.states,
            now=now,
            setting=parts.setting,
        )
        record, states = parts.notifier.record(evaluation, judged)
        record = self._completed(record, states, judged)
        seconds = max(0.0, self._clock() - now)
        self._report = Report(tuple(rules.values()), evaluation, seconds)
        return self._report, record, states

    def _judged(
        self, rules: Mapping[str, AnyRule], now: float, *, is_kept: bool
    ) -> dict[str, Judged]:
        """Return the rules, and those of other systems' alerts."""
        ledger, externals = self._parts.ledger, self._parts.externals
        externals.refresh(is_database_used=ledger.is_database_used, takes_on=is_kept)
        others = externals.rules(ledger.states, rules.keys(), now=now)
        return {**rules, **{rule.name: rule for rule in others}}

    def _completed(
        self, record: Record, states: States, judged: Mapping[str, Judged]
    ) -> Record:
        """Return the record with what else fires, and links to traces."""
        alerts = open_alerts(states.values(), judged) if record.notices else ()
        url = self._parts.trace_url
        notices = in_company(record.notices, alerts, trace_url=url)
        return replace(record, notices=notices)

    def deliver(self, *, goes_on: Callable[[], bool] = lambda: True) -> float:
        """Send what is due; return the seconds until it is worth looking again.

        No message is begun once it no longer `goes_on`.
        """
        parts = self._parts
        with parts.surroundings(), parts.sender.session():
            self._ping()
            parts.sender.resend(parts.resending)
            for _ in range(MESSAGES_PER_STEP):
                if not (goes_on() and parts.sender.send_next()):
                    return IDLE
        return 0.0

    def status(self) -> Status | None:
        """Return how everything is doing; None before the first evaluation."""
        if self._report is None:
            return None
        return report(self._report, self._parts)

    def _ping(self) -> None:
        switch, last = self._parts.switch, self._report
        if switch is not None and last is not None:
            switch.ping(evaluated_at=last.evaluation.at, now=self._clock())


def _cooldowns(parts: Parts, rules: Mapping[str, AnyRule]) -> list[float]:
    """Return that of the settings, and those that rules have of their own."""
    own = [rule.cooldown for rule in rules.values() if rule.cooldown is not None]
    return [parts.cooldown, *own]
