"""Somebody says that he knows of an alert, and what is being done about it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alerting.history import stored
from alerting.models import Alert
from alerting.times import to_datetime

if TYPE_CHECKING:
    from uuid import UUID

__all__ = ["acknowledge"]


def acknowledge(alert_id: UUID, *, user: str, note: str, now: float) -> bool:
    """Write down who knows of an open alert; tell whether there is such an alert.

    The latest acknowledgement is the one that counts.
    """
    is_open = stored(Alert).filter(pk=alert_id, resolved_at__isnull=True)
    return bool(
        is_open.update(
            acknowledged_at=to_datetime(now),
            acknowledged_by=user[:150],
            acknowledgement=note[:500],
        )
    )
