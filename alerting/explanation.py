"""Say of an alert or a rule, step by step, who was told and who was not, and why."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final

from alerting.documents import item
from alerting.models import Alert, AlertTransition, Delivery
from alerting.notifications.telling import Outcome
from alerting.rules import Severity
from alerting.schemas import (
    ExplainedAlert,
    ExplainedDelivery,
    ExplainedStep,
    Explanation,
)
from alerting.times import from_datetime, utc

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from alerting.status import Status

__all__ = ["explain_alert", "explain_rule"]

ALERTS: Final = 5
STEPS: Final = 200


def explain_alert(alert_id: UUID) -> ExplainedAlert | None:
    """Return an alert with its latest steps, None when there is no such alert."""
    alert = Alert.objects.filter(pk=alert_id).first()
    return None if alert is None else _explained(alert)


def explain_rule(name: str, status: Status) -> Explanation:
    """Return how a rule does, as published, and its latest alerts."""
    alerts = Alert.objects.filter(name=name).order_by("-fired_at", "id")
    health = next((rule for rule in status.rules if rule.name == name), None)
    return Explanation(
        rule=name, health=health, alerts=[_explained(each) for each in alerts[:ALERTS]]
    )


def _explained(alert: Alert) -> ExplainedAlert:
    newest = AlertTransition.objects.filter(alert=alert).order_by("-sequence")[:STEPS]
    deliveries: defaultdict[int, list[ExplainedDelivery]] = defaultdict(list)
    for row in Delivery.objects.filter(alert=alert).order_by("id"):
        deliveries[row.sequence].append(_delivery(row))
    steps = [_step(row, deliveries[row.sequence]) for row in reversed(newest)]
    return ExplainedAlert(alert=item(alert), steps=steps)


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
