"""Evaluate, commit, deliver: what the one elected process does, step by step.

`tick` is one evaluation and `deliver` sends what is due. They run on two threads, so
that a channel that hangs never delays an evaluation. Neither raises for what rules,
channels, the database or the journal do wrong.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from alerting.alert import Kind, Transition
from alerting.channels.availability import why_unavailable
from alerting.evaluator import Evaluation, Setting, evaluate
from alerting.labels import fingerprint
from alerting.notifications.compose import Circumstances, compose, gather_evidence
from alerting.notifications.firing import open_alerts
from alerting.notifications.muting import Muting
from alerting.notifications.policy import Limits, Route, decide_all
from alerting.record import Record
from alerting.report import STATUS, Report, report

if TYPE_CHECKING:
    from alerting.alert import AlertState
    from alerting.channels.base import Channel
    from alerting.evaluator import Key
    from alerting.journal import SteadyJournal
    from alerting.ledger import Ledger
    from alerting.notice import Notice
    from alerting.notifications.muting import Hold, Inhibition
    from alerting.presence import Presence
    from alerting.retention import Retention
    from alerting.rules import AnyRule
    from alerting.sender import Sender
    from alerting.source import MetricSource
    from alerting.status import Status
    from alerting.stored_silences import Silences

__all__ = ["Parts", "Runner"]

logger = logging.getLogger("prs_otel")

# What happens to an alert before it has fired is nobody's business but the evaluator's.
_UNRECORDED: Final = frozenset({Kind.PENDING, Kind.CLEARED})
IDLE: Final = 2.0  # seconds until the sender looks again if nobody wakes it
MESSAGES_PER_STEP: Final = 20
MUTED_FOR: Final = 60.0  # seconds at a time, of what another alert inhibits


@dataclass(frozen=True, slots=True)
class Parts:
    """What a runner is made of. `surroundings` is entered around everything it does."""

    rules: Callable[[], Sequence[AnyRule]]
    source: MetricSource
    ledger: Ledger
    presence: Presence
    retention: Retention
    sender: Sender
    channels: Mapping[str, Channel]
    journal: SteadyJournal
    limits: Limits
    setting: Setting
    silences: Silences
    inhibitions: tuple[Inhibition, ...]
    interval: float
    host: str
    pid: int
    surroundings: Callable[[], AbstractContextManager[object]] = nullcontext


class Runner:
    """One evaluator."""

    def __init__(self, parts: Parts, *, clock: Callable[[], float]) -> None:
        self.wake: Callable[[], None] = lambda: None
        """Called when there is something to send."""
        self._parts = parts
        self._clock = clock
        self._report: Report | None = None

    def tick(self, now: float) -> float:
        """Evaluate once and commit; return the seconds until the next time."""
        parts = self._parts
        with parts.surroundings():
            rules = {rule.name: rule for rule in parts.rules()}
            own = [r.cooldown for r in rules.values() if r.cooldown is not None]
            if parts.presence.renew(now=now):
                parts.ledger.forget()
            parts.silences.refresh(now=now)
            parts.ledger.prepare(now=now, cooldowns=own)
            evaluation = evaluate(
                rules.values(),
                parts.source,
                parts.ledger.states,
                now=now,
                setting=parts.setting,
            )
            record, states = self._recorded(evaluation, rules)
            if parts.ledger.commit(record, states, now=now) and record.tellings:
                self.wake()
            seconds = self._clock() - now
            self._report = last = Report(tuple(rules.values()), evaluation, seconds)
            parts.retention.prune(now=now)
            status = report(last, parts)
            parts.journal.put(STATUS, status.model_dump_json().encode())
        return max(0.0, now + parts.interval - self._clock())

    def deliver(self) -> float:
        """Send what is due; return the seconds until it is worth looking again."""
        parts = self._parts
        with parts.surroundings():
            for _ in range(MESSAGES_PER_STEP):
                if not parts.sender.send_next():
                    return IDLE
        return 0.0

    def status(self) -> Status | None:
        """Return how everything is doing; None before the first evaluation."""
        if self._report is None:
            return None
        return report(self._report, self._parts)

    def _recorded(
        self, evaluation: Evaluation, rules: Mapping[str, AnyRule]
    ) -> tuple[Record, Mapping[Key, AlertState]]:
        """Return what to keep of an evaluation, and its states with their alerts named."""
        steps = [t for t in evaluation.transitions if t.kind not in _UNRECORDED]
        notices = self._composed(steps, rules, evaluation)
        states = dict(evaluation.states)
        for notice in notices:
            key = (notice.name, notice.labels)
            if notice.kind is Kind.FIRING and key in states:
                states[key] = replace(states[key], alert_id=notice.alert_id)
        return self._decided(notices, states, rules, evaluation.at), states

    def _composed(
        self,
        steps: Sequence[Transition],
        rules: Mapping[str, AnyRule],
        evaluation: Evaluation,
    ) -> list[Notice]:
        parts = self._parts
        beginning = {
            fingerprint(step.state.rule, step.state.labels)
            for step in steps
            if step.kind is Kind.FIRING
        }
        episodes = parts.ledger.episodes(beginning, now=evaluation.at)
        notices = []
        for step in steps:
            rule = rules.get(step.state.rule)
            print_ = fingerprint(step.state.rule, step.state.labels)
            evidence = gather_evidence(parts.source, rule, step)
            around = Circumstances(
                rule, episodes.get(print_, 0), evaluation.flat, evidence
            )
            notices.append(compose(step, around))
        return notices

    def _decided(
        self,
        notices: Sequence[Notice],
        states: Mapping[Key, AlertState],
        rules: Mapping[str, AnyRule],
        now: float,
    ) -> Record:
        parts = self._parts
        known = parts.ledger.tellings()
        routes = [
            Route(name, why_unavailable(channel))
            for name, channel in parts.channels.items()
        ]
        tellings, cancelled = decide_all(notices, routes, known, limits=parts.limits)
        gone = {each.key for each in cancelled}
        waiting = [t for t in known if t.is_untried_alarm and t.key not in gone]
        held: tuple[Hold, ...] = ()
        if waiting or tellings:
            muting = self._muting(states, rules, now)
            tellings = list(map(muting.held, tellings))
            held = tuple(muting.holds(waiting))
        return Record(tuple(notices), tuple(tellings), tuple(cancelled), held)

    def _muting(
        self,
        states: Mapping[Key, AlertState],
        rules: Mapping[str, AnyRule],
        now: float,
    ) -> Muting:
        parts = self._parts
        return Muting(
            open_alerts(states.values(), rules),
            silences=parts.silences.current(now=now),
            inhibitions=parts.inhibitions,
            patience=max(MUTED_FOR, 4 * parts.interval),
            now=now,
        )
