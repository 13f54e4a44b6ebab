"""Forget alerts, silences and changes of rules that are old enough, a few at a time."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from alerting.database import patient
from alerting.history import DATABASE_ERRORS, stored
from alerting.models import Alert, RuleChange, StoredSilence
from alerting.times import to_datetime

if TYPE_CHECKING:
    from django.db.models import Model, QuerySet

__all__ = ["INTERVAL", "Pruned", "Retention", "prune", "prune_all"]

logger = logging.getLogger("prs_otel")

INTERVAL: Final = 600.0  # seconds between two looks
AT_ONCE: Final = 500  # alerts, with all that was told of them
MOST_ROUNDS: Final = 1_000  # of one cleanup


@dataclass(frozen=True, slots=True)
class Pruned:
    """How many rows were forgotten; with an alert goes all that was told of it."""

    alerts: int = 0
    silences: int = 0
    rule_changes: int = 0

    @property
    def total(self) -> int:
        """Return how many it were together."""
        return self.alerts + self.silences + self.rule_changes

    def __add__(self, other: Pruned) -> Pruned:
        return Pruned(
            self.alerts + other.alerts,
            self.silences + other.silences,
            self.rule_changes + other.rule_changes,
        )


class Retention:
    """Keep the history within its bounds. Used by the evaluator alone; never raises."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._pruned_at: float | None = None

    def prune(self, *, now: float) -> int:
        """Forget some of what is too old, at most once in `INTERVAL`; return how many rows."""
        if self._pruned_at is not None and 0 <= now - self._pruned_at < INTERVAL:
            return 0
        self._pruned_at = now
        try:
            return prune(before=now - self._seconds, limit=AT_ONCE).total
        except DATABASE_ERRORS as error:
            # History that is a little too long does no harm: the next look is soon enough.
            logger.warning("old alerts cannot be forgotten: %s", type(error).__name__)
            return 0


@patient
def prune(*, before: float, limit: int) -> Pruned:
    """Forget what was over `before`, at most `limit` rows of each kind."""
    at = to_datetime(before)
    alerts = stored(Alert).filter(resolved_at__lt=at).order_by("resolved_at")
    silences = stored(StoredSilence).filter(ends_at__lt=at).order_by("ends_at")
    changes = stored(RuleChange).filter(at__lt=at).order_by("id")
    return Pruned(
        _forget(alerts, Alert, limit),
        _forget(silences, StoredSilence, limit),
        _forget(changes, RuleChange, limit),
    )


def prune_all(*, before: float) -> Pruned:
    """Forget all that was over `before`, in short transactions; raises what a database raises."""
    done = Pruned()
    for _ in range(MOST_ROUNDS):
        last = prune(before=before, limit=AT_ONCE)
        if not last.total:
            break
        done += last
    return done


def _forget(rows: QuerySet[Model], model: type[Model], limit: int) -> int:
    oldest = list(rows.values_list("pk", flat=True)[:limit])
    if oldest:
        stored(model).filter(pk__in=oldest).delete()
    return len(oldest)
