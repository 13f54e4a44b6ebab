"""Say of an alert or a rule, step by step, who was told and who was not, and why."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias
from uuid import UUID

from django.db.models import F, Q

from alerting import conf, stored_rules, stored_silences
from alerting.documents import item
from alerting.models import Alert, AlertTransition, Delivery
from alerting.notifications.inhibition import Firing
from alerting.notifications.muting import Muting
from alerting.notifications.telling import Outcome
from alerting.reasoning import Known, reasons, verdict
from alerting.rules import Severity
from alerting.schemas import (
    ExplainedAlert,
    ExplainedDelivery,
    ExplainedReason,
    ExplainedStep,
    Explanation,
)
from alerting.times import from_datetime, utc

if TYPE_CHECKING:
    from datetime import datetime

    from alerting.rules import AnyRule
    from alerting.status import Status

__all__ = ["RulesInCode", "explain_alert", "explain_rule", "explain_why"]

ALERTS: Final = 5
STEPS: Final = 200
OPEN_LIMIT: Final = 500  # alerts that may mute another

_Place: TypeAlias = tuple[UUID, int]
"""Which step of which alert."""


def explain_alert(alert_id: UUID) -> ExplainedAlert | None:
    """Return an alert with its latest steps, None when there is no such alert."""
    found = _explained(list(Alert.objects.filter(pk=alert_id)))
    return found[0] if found else None


def explain_rule(name: str, status: Status) -> Explanation:
    """Return how a rule does, as published, and its latest alerts."""
    alerts = Alert.objects.filter(name=name).order_by("-fired_at", "id")[:ALERTS]
    health = next((rule for rule in status.rules if rule.name == name), None)
    return Explanation(rule=name, health=health, alerts=_explained(list(alerts)))


@dataclass(frozen=True, slots=True)
class RulesInCode:
    """The rules of this process with their origins, and the names of those switched off."""

    rules: Sequence[tuple[str, AnyRule]] = ()
    removed: Collection[str] = ()


def explain_why(
    name: str, status: Status, in_code: RulesInCode, *, now: float
) -> Explanation:
    """Return the same, and step by step why the rule does or does not fire just now."""
    found = reasons(name, _known(name, status, in_code, now), status, now=now)
    return explain_rule(name, status).model_copy(
        update={
            "verdict": verdict(found),
            "reasons": [
                ExplainedReason(step=each.step, passes=each.passes, text=each.text)
                for each in found
            ],
        }
    )


def _known(name: str, status: Status, in_code: RulesInCode, now: float) -> Known:
    stored = stored_rules.load()
    known = {rule.name: (origin, rule) for origin, rule in in_code.rules}
    known |= {rule.name: (stored_rules.STORED, rule) for rule in stored.rules}
    origin, rule = known.get(name, (None, None))
    alerts = Alert.objects.filter(name=name)
    return Known(
        origin=origin,
        names=known.keys(),
        problem=stored.problems.get(name, ""),
        is_removed=name in in_code.removed,
        has_alerts=alerts.exists(),
        is_firing=alerts.filter(resolved_at__isnull=True).exists(),
        mute="" if rule is None else _mute(rule, status, now),
    )


def _mute(rule: AnyRule, status: Status, now: float) -> str:
    """Return what would keep an alert of the rule from being told, "" for nothing."""
    health = next((each for each in status.rules if each.name == rule.name), None)
    near = health.nearest if health else None
    labels = {
        **rule.labels,
        **(near.labels if near else {}),
        "alertname": rule.name,
        "severity": rule.rungs[0].severity.value,
    }
    rows = Alert.objects.filter(resolved_at__isnull=True).exclude(name=rule.name)
    muting = Muting(
        [Firing(rule.name, labels), *map(_firing, rows[:OPEN_LIMIT])],
        silences=stored_silences.read(stored_silences.rows(now=now)),
        inhibitions=conf.current().inhibitions,
        now=now,
    )
    mute = muting.of(rule.name)
    return "" if mute is None else f"an alert would not be told: {mute.reason}"


def _firing(alert: Alert) -> Firing:
    named = {"alertname": alert.name, "severity": alert.severity}
    fired_at = from_datetime(alert.fired_at)
    return Firing(str(alert.pk), {**alert.labels, **named}, fired_at)


def _explained(alerts: Collection[Alert]) -> list[ExplainedAlert]:
    """Return alerts with their latest steps, in as many queries as for one."""
    is_recent = Q(alert__in=alerts, sequence__gt=F("alert__sequence") - STEPS)
    deliveries: defaultdict[_Place, list[ExplainedDelivery]] = defaultdict(list)
    for told in Delivery.objects.filter(is_recent).order_by("id"):
        deliveries[told.alert_id, told.sequence].append(_delivery(told))
    steps: defaultdict[UUID, list[ExplainedStep]] = defaultdict(list)
    for row in AlertTransition.objects.filter(is_recent).order_by("sequence"):
        place = (row.alert_id, row.sequence)
        steps[row.alert_id].append(_step(row, deliveries[place]))
    return [ExplainedAlert(alert=item(each), steps=steps[each.pk]) for each in alerts]


def _step(row: AlertTransition, deliveries: list[ExplainedDelivery]) -> ExplainedStep:
    notice = row.notice
    return ExplainedStep(
        time=_shown(row.at),
        kind=row.kind,
        severity=Severity(row.severity),
        value=notice.get("value"),
        message=notice.get("message", ""),
        reason=notice.get("reason", ""),
        deliveries=deliveries,
    )


def _delivery(row: Delivery) -> ExplainedDelivery:
    is_due = row.state == Outcome.DUE
    return ExplainedDelivery(
        channel=row.channel,
        state=row.state,
        reason=row.reason,
        recipients=row.recipients,
        attempts=row.attempts,
        next_attempt_at=utc(row.next_at) if is_due else None,
        last_error=row.last_error,
        settled_at=(
            None if is_due or row.settled_at is None else _shown(row.settled_at)
        ),
    )


def _shown(moment: datetime) -> datetime:
    return utc(from_datetime(moment))
