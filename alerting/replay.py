"""Bring what was journalled while the database failed into the database.

Idempotent: a record that is there already, whole or in part, is completed. A delivery
that has been settled meanwhile takes its outcome along.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from alerting.alert import Kind, State
from alerting.database import patient
from alerting.history import stored, writing
from alerting.models import Alert, AlertTransition, Delivery
from alerting.notifications.telling import Outcome
from alerting.rows import alert_of, changes, delivery_fields, delivery_of, transition_of
from alerting.times import to_datetime

if TYPE_CHECKING:
    from alerting.notice import Notice
    from alerting.notifications.telling import Telling
    from alerting.record import Record

__all__ = ["replay"]


@patient
def replay(record: Record, *, scope: str) -> None:
    """Write one journalled record, unless it is there."""
    with writing():
        for notice in record.notices:
            _replay_notice(notice, scope)
        for telling in record.tellings:
            _replay_telling(telling)
        for cancelled in record.cancelled:
            stored(Delivery).filter(
                key=cancelled.key, state=Outcome.DUE, attempts=0
            ).update(state=Outcome.SKIPPED, reason=cancelled.reason)
        for hold in record.held:
            stored(Delivery).filter(key=hold.key, state=Outcome.DUE, attempts=0).update(
                next_at=hold.until, reason=hold.reason
            )


def _replay_notice(notice: Notice, scope: str) -> None:
    alert = stored(Alert).filter(pk=notice.alert_id).first()
    if alert is None:
        _end_others(notice)
        alert = alert_of(notice, scope)
        stored(Alert).bulk_create([alert])
    elif alert.sequence < notice.sequence:
        stored(Alert).filter(pk=alert.pk).update(**changes(alert, notice))
    steps = stored(AlertTransition).filter(alert=alert, sequence=notice.sequence)
    if not steps.exists():
        stored(AlertTransition).bulk_create([transition_of(notice, scope)])


def _end_others(notice: Notice) -> None:
    """End what nobody could know of when this episode began without the database."""
    if notice.kind is Kind.FIRING:
        stored(Alert).filter(
            fingerprint=notice.fingerprint, resolved_at__isnull=True
        ).update(
            state=State.RESOLVED,
            resolved_at=to_datetime(notice.at),
            reason="went on as another episode while the database was away",
        )


def _replay_telling(telling: Telling) -> None:
    known = stored(Delivery).filter(key=telling.key)
    if not known.exists():
        stored(Delivery).bulk_create([delivery_of(telling)])
    elif telling.state is not Outcome.DUE:
        known.filter(state=Outcome.DUE).update(**delivery_fields(telling))
