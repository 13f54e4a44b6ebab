"""Somebody says that he knows of an alert, and what is being done about it."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import TYPE_CHECKING

from alerting.history import DATABASE_ERRORS, stored
from alerting.models import Alert
from alerting.times import to_datetime

if TYPE_CHECKING:
    from uuid import UUID

__all__ = ["Acknowledged", "acknowledge", "acknowledged"]

Acknowledged = Callable[[Collection[str]], Collection[str]]
"""Tells which of some alerts, by their ids, somebody has acknowledged."""


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


def acknowledged(alert_ids: Collection[str]) -> set[str]:
    """Return which of these alerts somebody has acknowledged; none without the database."""
    try:
        known = stored(Alert).filter(pk__in=alert_ids, acknowledged_at__isnull=False)
        return {str(pk) for pk in known.values_list("pk", flat=True)}
    except DATABASE_ERRORS:
        # To be told once too often is better than not at all.
        return set()
