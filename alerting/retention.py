"""Forget alerts that were over long ago, a few at a time."""

from __future__ import annotations

import logging
from typing import Final

from alerting.history import DATABASE_ERRORS, stored
from alerting.models import Alert
from alerting.times import to_datetime

__all__ = ["INTERVAL", "Retention", "prune"]

logger = logging.getLogger("prs_otel")

INTERVAL: Final = 600.0  # seconds between two looks
AT_ONCE: Final = 500  # alerts, with all that was told of them


class Retention:
    """Keep the history within its bounds. Used by the evaluator alone; never raises."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._pruned_at: float | None = None

    def prune(self, *, now: float) -> int:
        """Forget some of what is too old, at most once in `INTERVAL`; return how many alerts."""
        if self._pruned_at is not None and 0 <= now - self._pruned_at < INTERVAL:
            return 0
        self._pruned_at = now
        try:
            return prune(before=now - self._seconds, limit=AT_ONCE)
        except DATABASE_ERRORS as error:
            # History that is a little too long does no harm: the next look is soon enough.
            logger.warning("old alerts cannot be forgotten: %s", type(error).__name__)
            return 0


def prune(*, before: float, limit: int) -> int:
    """Forget at most `limit` alerts that were over `before`; return how many it were."""
    over = stored(Alert).filter(resolved_at__lt=to_datetime(before))
    oldest = list(over.order_by("resolved_at").values_list("pk", flat=True)[:limit])
    if oldest:
        stored(Alert).filter(pk__in=oldest).delete()
    return len(oldest)
