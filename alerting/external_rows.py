"""The rows of external alerts, of which only what has changed is read again.

One question tells whether anything has; what has was received lately. Every so often all
is read, because the clocks of those who write may differ.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from django.db.models import Count, Max, Q, Sum

from alerting.database import patient
from alerting.history import stored, writing
from alerting.models import ExternalAlert
from alerting.times import to_datetime

if TYPE_CHECKING:
    from django.db.models import QuerySet

__all__ = ["ExternalRows"]

ROWS_AT_ONCE: Final = 10_000
CHANGED_AT_ONCE: Final = 500
READ_ANEW_EVERY: Final = 20  # times that it is asked for
# What was received so long before the latest may have been committed after it.
OVERLAP: Final = timedelta(seconds=30)
_CHANGES: Final = {
    "rows": Count("pk"),
    "new": Count("pk", filter=Q(scope="")),
    "firing": Count("pk", filter=Q(is_firing=True)),
    "noticed": Count("pk", filter=Q(is_noticed=True)),
    "latest": Max("received_at"),
    "expiry": Sum("expires_at"),
}


class ExternalRows:
    """The unsettled rows that one scope of a service has taken on. Raises database errors."""

    def __init__(self, scope: str, service: str) -> None:
        self._scope = scope
        self._service = service
        self._rows: dict[int, ExternalAlert] = {}
        self._answer: Sequence[ExternalAlert] = ()
        self._mark: dict[str, Any] = {}
        self._left = 0

    @patient
    def read(self) -> Sequence[ExternalAlert]:
        """Take on what is new, and return all: the same object when nothing has changed."""
        mark = self._ask()
        if mark["new"]:
            with writing():
                self._unsettled().filter(scope="").update(scope=self._scope)
            # Some may be another's by now.
            mark = self._ask()
        if not self._is_known(mark):
            self._refresh(mark)
            self._answer = tuple(self._rows.values())
        self._left -= 1
        self._mark = mark
        return self._answer

    @patient
    def peek(self) -> Sequence[ExternalAlert]:
        """Return all, with what would be taken on; nothing is written or remembered."""
        ours = Q(scope=self._scope) | Q(scope="")
        return tuple(self._unsettled().filter(ours)[:ROWS_AT_ONCE])

    @patient
    def note(
        self,
        fires: Sequence[ExternalAlert],
        over: Sequence[ExternalAlert],
        *,
        now: float,
    ) -> None:
        """Write down which rows have been seen to fire, and which have nothing more to see."""
        for part in _chunks(fires):
            stored(ExternalAlert).filter(pk__in=part).update(is_noticed=True)
        for part in _chunks(over):
            # Not those that fire again meanwhile.
            mine = stored(ExternalAlert).filter(pk__in=part)
            mine.filter(is_firing=False).update(is_settled=True)
            late = mine.filter(is_firing=True, expires_at__lte=now)
            late.update(is_firing=False, is_settled=True)

    @patient
    def prune(self, *, before: float) -> None:
        """Forget what was over by then, of whatever scope."""
        over = stored(ExternalAlert).filter(is_settled=True)
        over.filter(received_at__lt=to_datetime(before)).delete()

    def _is_known(self, mark: dict[str, Any]) -> bool:
        """Tell whether nothing has changed but what this evaluator has noticed itself."""
        others = {**mark, "noticed": self._mark.get("noticed")}
        return self._left > 0 and others == self._mark and self._agrees(mark)

    def _refresh(self, mark: dict[str, Any]) -> None:
        latest = self._mark.get("latest")
        if self._left > 0 and latest is not None:
            recent = self._mine().filter(received_at__gte=latest - OVERLAP)
            if self._take(recent) and self._agrees(mark):
                return
        self._rows = {row.pk: row for row in self._mine()[:ROWS_AT_ONCE]}
        self._left = READ_ANEW_EVERY

    def _take(self, rows: QuerySet[ExternalAlert]) -> bool:
        """Take over rows, and tell whether any of them is news."""
        found = {row.pk: row for row in rows}
        is_news = any(
            pk not in self._rows or self._rows[pk].received_at != row.received_at
            for pk, row in found.items()
        )
        self._rows.update(found)
        return is_news

    def _agrees(self, mark: dict[str, Any]) -> bool:
        rows = self._rows.values()
        counted = (
            len(rows),
            sum(row.is_firing for row in rows),
            sum(row.is_noticed for row in rows),
        )
        return counted == (mark["rows"], mark["firing"], mark["noticed"])

    def _ask(self) -> dict[str, Any]:
        ours = Q(scope=self._scope) | Q(scope="")
        return self._unsettled().filter(ours).order_by().aggregate(**_CHANGES)

    def _mine(self) -> QuerySet[ExternalAlert]:
        return self._unsettled().filter(scope=self._scope)

    def _unsettled(self) -> QuerySet[ExternalAlert]:
        return stored(ExternalAlert).filter(service=self._service, is_settled=False)


def _chunks(rows: Sequence[ExternalAlert]) -> Iterator[list[int]]:
    for start in range(0, len(rows), CHANGED_AT_ONCE):
        yield [row.pk for row in rows[start : start + CHANGED_AT_ONCE]]
