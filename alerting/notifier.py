"""From what an evaluation found to what is written down and told: one record, kept whole."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from alerting.alert import Kind, State, Transition
from alerting.channels import Resending
from alerting.channels.availability import why_unavailable
from alerting.dead_letters import failing_channel
from alerting.labels import fingerprint
from alerting.notifications.compose import (
    Circumstances,
    compose,
    gather_evidence,
    worth_evidence,
)
from alerting.notifications.firing import labels_of, open_alerts
from alerting.notifications.muting import Muting
from alerting.notifications.policy import Route, decide_all
from alerting.record import Record

if TYPE_CHECKING:
    from alerting.acknowledgement import Acknowledged
    from alerting.alert import AlertState
    from alerting.channels.base import Channel
    from alerting.evaluator import Evaluation, Key
    from alerting.ledger import Ledger
    from alerting.notice import Notice
    from alerting.notifications.muting import Firing, Hold, Inhibition
    from alerting.notifications.policy import Cancellation, Limits
    from alerting.notifications.routing import Reminders, Routing
    from alerting.notifications.telling import Telling
    from alerting.rules import Judged
    from alerting.source import MetricSource
    from alerting.stored_silences import Silences

__all__ = ["Notifier", "Policies", "States"]

# What happens to an alert before it has fired is nobody's business but the evaluator's.
_UNRECORDED: Final = frozenset({Kind.PENDING, Kind.CLEARED})
# Who hears of anything else is also whoever heard of these.
_WORSE: Final = frozenset({Kind.FIRING, Kind.ESCALATED})
MUTED_FOR: Final = 60.0  # seconds at a time, of what another alert inhibits

States = Mapping["Key", "AlertState"]


@dataclass(frozen=True, slots=True)
class Policies:
    """What is told to whom: limits, routes, silences, and what mutes what.

    `interval` are the seconds between two evaluations; `acknowledged` tells of which alerts
    somebody knows.
    """

    limits: Limits
    routing: Routing
    silences: Silences
    inhibitions: Sequence[Inhibition]
    acknowledged: Acknowledged
    interval: float


class Notifier:
    """Makes the record of each evaluation. Used by the evaluator's thread alone."""

    def __init__(
        self,
        source: MetricSource,
        ledger: Ledger,
        channels: Mapping[str, Channel],
        policies: Policies,
    ) -> None:
        self._source = source
        self._ledger = ledger
        self._channels = channels
        self._policies = policies

    def refresh(self, *, now: float) -> None:
        """Read what should be known when the database goes away."""
        self._policies.silences.refresh(now=now)

    def record(
        self, evaluation: Evaluation, rules: Mapping[str, Judged]
    ) -> tuple[Record, States]:
        """Return what to keep of an evaluation, and its states with their alerts named."""
        known = self._ledger.tellings()
        steps = [t for t in evaluation.transitions if t.kind not in _UNRECORDED]
        notices = self._composed(steps, rules, evaluation)
        states = _named(evaluation.states, notices)
        reminders = self._reminders(states, rules, known, evaluation.at)
        due = {alert_id for alert_id, _ in reminders}
        again = [_again(s, evaluation.at) for s in states.values() if s.alert_id in due]
        notices += self._composed(again, rules, evaluation)
        states |= {(step.state.rule, step.state.labels): step.state for step in again}
        routed = [
            (notice, self._routes(notice, known, reminders)) for notice in notices
        ]
        alerts = open_alerts(states.values(), rules)
        return self._decided(routed, alerts, known, evaluation.at), states

    def _composed(
        self,
        steps: Sequence[Transition],
        rules: Mapping[str, Judged],
        evaluation: Evaluation,
    ) -> list[Notice]:
        beginning = {
            fingerprint(step.state.rule, step.state.labels)
            for step in steps
            if step.kind is Kind.FIRING
        }
        episodes = self._ledger.episodes(beginning, now=evaluation.at)
        worth = worth_evidence(steps)
        notices = []
        for step in steps:
            rule = rules.get(step.state.rule)
            print_ = fingerprint(step.state.rule, step.state.labels)
            is_worth = (step.state.rule, step.state.labels) in worth
            evidence = gather_evidence(
                self._source,
                rule,
                step,
                looked_at=evaluation.looked_at.get(step.state.rule),
                is_searched=is_worth,
            )
            around = Circumstances(
                rule, episodes.get(print_, 0), evaluation.flat, evidence
            )
            notices.append(compose(step, around))
        return notices

    def _reminders(
        self,
        states: States,
        rules: Mapping[str, Judged],
        known: Sequence[Telling],
        now: float,
    ) -> Reminders:
        """Return what is told again because it goes on, and nobody has acknowledged it."""
        policies = self._policies
        if policies.routing.is_plain:
            return {}
        firing = [state for state in states.values() if state.state is State.FIRING]
        alerts = [
            (alert, state.fired_at or now)
            for state in firing
            for alert in open_alerts((state,), rules)
        ]
        found = {
            place: reason
            for place, reason in policies.routing.reminders(
                alerts, known, now=now
            ).items()
            if place[1] in self._channels
        }
        if not found:
            return {}
        acknowledged = policies.acknowledged({alert_id for alert_id, _ in found})
        return {
            place: why for place, why in found.items() if place[0] not in acknowledged
        }

    def _routes(
        self, notice: Notice, known: Sequence[Telling], reminders: Reminders
    ) -> list[Route]:
        past: list[str] = []
        if notice.kind is Kind.REMINDER:
            chosen = [c for c in self._channels if (notice.alert_id, c) in reminders]
        else:
            chosen = self._chosen(notice)
            if notice.kind not in _WORSE:
                # Whoever was told hears of the end, whatever the routes are by now.
                told = {t.channel for t in known if t.alert_id == notice.alert_id}
                past = [c for c in self._channels if c in told.difference(chosen)]
        return [
            Route(
                name,
                why_unavailable(self._channels[name]),
                reminders.get((notice.alert_id, name), ""),
                is_past=name in past,
                is_mirror=isinstance(self._channels[name], Resending),
            )
            for name in (*chosen, *past)
        ]

    def _chosen(self, notice: Notice) -> list[str]:
        if failing := failing_channel(notice):
            # Whatever the routes are: the one that they name may be what fails.
            return [name for name in self._channels if name != failing]
        return self._policies.routing.channels(labels_of(notice), self._channels)

    def _decided(
        self,
        routed: Sequence[tuple[Notice, Sequence[Route]]],
        alerts: Iterable[Firing],
        known: Sequence[Telling],
        now: float,
    ) -> Record:
        policies = self._policies
        tellings: list[Telling] = []
        cancelled: list[Cancellation] = []
        if routed:
            tellings, cancelled = decide_all(routed, known, limits=policies.limits)
        gone = {each.key for each in cancelled}
        waiting = [t for t in known if t.is_untried_alarm and t.key not in gone]
        held: tuple[Hold, ...] = ()
        if waiting or tellings:
            muting = Muting(
                alerts,
                silences=policies.silences.current(now=now),
                inhibitions=policies.inhibitions,
                patience=max(MUTED_FOR, 4 * policies.interval),
                now=now,
            )
            tellings = list(map(muting.held, tellings))
            held = tuple(muting.holds(waiting))
            policies.silences.complain(muting.failures)
        notices = tuple(notice for notice, _ in routed)
        return Record(notices, tuple(tellings), tuple(cancelled), held)


def _named(states: States, notices: Sequence[Notice]) -> dict[Key, AlertState]:
    """Return the states, those that have just begun to fire with their alert's id."""
    named = dict(states)
    for notice in notices:
        key = (notice.name, notice.labels)
        if notice.kind is Kind.FIRING and key in named:
            named[key] = replace(named[key], alert_id=notice.alert_id)
    return named


def _again(state: AlertState, now: float) -> Transition:
    after = replace(state, sequence=state.sequence + 1)
    return Transition(Kind.REMINDER, now, state, after)
