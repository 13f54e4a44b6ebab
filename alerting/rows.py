"""Notices and tellings as rows of the database, and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from alerting.alert import Kind, State
from alerting.models import Alert, AlertTransition, Delivery
from alerting.notifications.telling import Outcome, Telling
from alerting.rules import Severity
from alerting.rules.external import SOURCE
from alerting.times import from_datetime, to_datetime

if TYPE_CHECKING:
    from alerting.notice import Notice

__all__ = [
    "TEXT_LIMIT",
    "alert_of",
    "changes",
    "delivery_fields",
    "delivery_of",
    "telling_of",
    "transition_of",
]

TEXT_LIMIT: Final = 255


def changes(alert: Alert, notice: Notice) -> dict[str, Any]:
    """Return what a later notice changes of an alert.

    Its value and message stay those of the last alarm: they say what was wrong.
    """
    changed: dict[str, Any] = {"state": notice.state, "sequence": notice.sequence}
    if notice.state is State.RESOLVED:
        changed["resolved_at"] = to_datetime(notice.at)
        changed["reason"] = notice.reason[:TEXT_LIMIT]
    if notice.kind is Kind.ESCALATED:
        changed["value"] = notice.value
        changed["threshold"] = notice.threshold
        changed["message"] = notice.message
        changed["evidence"] = notice.evidence
    if notice.severity.rank > Severity(alert.severity).rank:
        changed["severity"] = notice.severity
    return changed


def alert_of(notice: Notice, scope: str) -> Alert:
    """Return the row of an alert that begins with `notice`."""
    return Alert(
        id=notice.alert_id,
        fingerprint=notice.fingerprint,
        episode=notice.episode,
        scope=scope,
        name=notice.name,
        severity=notice.severity,
        state=notice.state,
        labels=notice.all_labels,
        value=notice.value,
        threshold=notice.threshold,
        message=notice.message,
        evidence=notice.evidence,
        sequence=notice.sequence,
        started_at=to_datetime(notice.started_at),
        fired_at=to_datetime(notice.fired_at),
    )


def transition_of(notice: Notice, scope: str) -> AlertTransition:
    """Return the row of one step."""
    return AlertTransition(
        alert_id=notice.alert_id,
        sequence=notice.sequence,
        scope=scope,
        kind=notice.kind,
        severity=notice.severity,
        at=to_datetime(notice.at),
        notice=notice.to_json(),
    )


def delivery_of(telling: Telling) -> Delivery:
    """Return the row of one delivery."""
    return Delivery(
        key=telling.key,
        alert_id=telling.alert_id,
        sequence=telling.sequence,
        channel=telling.channel,
        kind=telling.kind,
        severity=telling.severity,
        created_at=to_datetime(telling.created_at),
        **delivery_fields(telling),
    )


def delivery_fields(telling: Telling) -> dict[str, Any]:
    """Return what changes of a delivery in the course of its life."""
    return {
        "state": telling.state,
        "reason": telling.reason[:TEXT_LIMIT],
        "recipients": list(telling.recipients),
        "accepted": list(telling.accepted),
        "batch": telling.batch,
        "is_digest": telling.is_digest,
        "attempts": telling.attempts,
        "next_at": telling.next_at,
        "claimed_until": telling.claimed_until,
        "claimed_by": telling.claimed_by,
        "last_error": telling.last_error,
        "settled_at": to_datetime(telling.settled_at) if telling.settled_at else None,
    }


def telling_of(row: Delivery) -> Telling:
    """Return a delivery as plain data."""
    return Telling(
        key=row.key,
        alert_id=str(row.alert_id),
        sequence=row.sequence,
        fingerprint=row.alert.fingerprint,
        rule=row.alert.name,
        channel=row.channel,
        kind=Kind(row.kind),
        severity=Severity(row.severity),
        created_at=from_datetime(row.created_at),
        state=Outcome(row.state),
        reason=row.reason,
        next_at=row.next_at,
        attempts=row.attempts,
        claimed_until=row.claimed_until,
        claimed_by=row.claimed_by,
        batch=row.batch,
        is_digest=row.is_digest,
        recipients=tuple(row.recipients),
        accepted=tuple(row.accepted),
        last_error=row.last_error,
        settled_at=from_datetime(row.settled_at) if row.settled_at else 0.0,
        source=row.alert.labels.get(SOURCE, ""),
    )
