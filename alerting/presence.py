"""Evaluators of one service on one database: who lives, and whose alerts need another's care.

A host that is replaced comes back under another name and with an empty store, and what fired on
the old one would fire for ever. So every evaluator says now and then that it lives, and takes
over the alerts of those that have been silent for long.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.db.models import Q

from alerting import history
from alerting.database import patient
from alerting.history import DATABASE_ERRORS, stored, writing
from alerting.models import Alert, AlertTransition, Evaluator, ExternalAlert
from alerting.notifications.telling import Outcome
from alerting.rows import TEXT_LIMIT
from alerting.times import to_datetime

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from alerting.labels import Labels

__all__ = ["RENEWAL", "SILENT_AFTER", "Presence"]

RENEWAL: Final = 60.0  # seconds between two signs of life
SILENT_AFTER: Final = 900.0  # longer than a restart, or a database outage, may take
ADOPTED_AT_ONCE: Final = 500


class Presence:
    """The presence of one evaluator. Used by its thread alone; never raises for a database."""

    def __init__(self, scope: Labels) -> None:
        self._scope = history.scope_name(scope)
        self._service = dict(scope).get("service.name", "")[:TEXT_LIMIT]
        self._renewed_at: float | None = None

    def renew(self, *, now: float) -> bool:
        """Say that this evaluator lives; tell whether alerts have changed hands.

        Does so once per `RENEWAL` seconds, and nothing in between.
        """
        since = self._renewed_at
        if since is not None and 0 <= now - since < RENEWAL:
            return False
        self._renewed_at = now
        try:
            return self._renewed(now)
        except DATABASE_ERRORS:
            # The ledger meets the same trouble, and tells.
            return False

    @patient
    def _renewed(self, now: float) -> bool:
        with writing():
            was_silent = self._was_silent(now)
            has_adopted = self._adopt(now)
        return was_silent or has_adopted

    def _was_silent(self, now: float) -> bool:
        """Say that this one lives, and tell whether others may have thought it does not."""
        seen = dict(
            stored(Evaluator).filter(pk=self._scope).values_list("pk", "seen_at")
        ).get(self._scope)
        stored(Evaluator).update_or_create(
            scope=self._scope,
            defaults={"service": self._service, "seen_at": to_datetime(now)},
        )
        return seen is None or seen < to_datetime(now - SILENT_AFTER)

    def _adopt(self, now: float) -> bool:
        silent = stored(Evaluator).filter(
            service=self._service, seen_at__lt=to_datetime(now - SILENT_AFTER)
        )
        scopes = list(silent.values_list("scope", flat=True))
        if not scopes:
            return False
        theirs = stored(ExternalAlert).filter(service=self._service, scope__in=scopes)
        theirs.update(scope=self._scope)
        alerts = self._unsettled(scopes)
        stored(Alert).filter(pk__in=alerts).update(scope=self._scope)
        stored(AlertTransition).filter(alert__in=alerts).update(scope=self._scope)
        if len(alerts) < ADOPTED_AT_ONCE:
            silent.filter(scope__in=scopes).delete()
        return bool(alerts)

    def _unsettled(self, scopes: Sequence[str]) -> list[UUID]:
        """Return the alerts of `scopes` that are open, or that somebody waits to hear of."""
        is_unsettled = Q(resolved_at__isnull=True) | Q(deliveries__state=Outcome.DUE)
        rows = stored(Alert).filter(is_unsettled, scope__in=scopes).order_by("pk")
        return list(rows.values_list("pk", flat=True).distinct()[:ADOPTED_AT_ONCE])
