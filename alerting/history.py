"""Alerts and deliveries in the database: read at start, written once per evaluation.

A transition and its deliveries are one transaction. What makes a duplicate impossible
is not a lock but what is unique: an episode, a step of it, a delivery of that step. A
second evaluator that works on old knowledge runs into one of them, or into the
transitions it has not seen, and gets a `Conflict`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Final, TypeVar
from uuid import UUID

from django.core.exceptions import ImproperlyConfigured
from django.db import Error, IntegrityError, models, router, transaction
from django.db.models import F, Max, Q, QuerySet

from alerting.alert import Kind
from alerting.database import patient
from alerting.models import Alert, AlertTransition, Delivery
from alerting.notice import Notice
from alerting.notifications.telling import Outcome
from alerting.rows import (
    TEXT_LIMIT,
    alert_of,
    changes,
    delivery_of,
    telling_of,
    transition_of,
)
from alerting.times import to_datetime

if TYPE_CHECKING:
    from alerting.labels import Labels
    from alerting.notifications.telling import Telling
    from alerting.record import Record

__all__ = [
    "DATABASE_ERRORS",
    "Conflict",
    "episodes",
    "last_transition",
    "open_notices",
    "scope_name",
    "set_back",
    "stored",
    "tellings",
    "write",
    "writing",
]

# What a database that is down, not migrated or not configured raises.
DATABASE_ERRORS: Final = (Error, ImproperlyConfigured, OSError)
TELLINGS_LIMIT: Final = 5_000
_NOBODY: Final = UUID(int=0)

Model = TypeVar("Model", bound=models.Model)


class Conflict(Exception):  # noqa: N818 - it is no error, another evaluator was first
    """Somebody else has written what this evaluation did not know of."""


def scope_name(labels: Labels) -> str:
    """Return the scope's labels as the text that separates one host from another."""
    return ",".join(f"{name}={value}" for name, value in labels)[:TEXT_LIMIT]


def stored(model: type[Model]) -> QuerySet[Model]:
    """Return the rows of `model` where they are written: a replica may lag behind."""
    return QuerySet(model, using=router.db_for_write(model))


@contextmanager
def writing() -> Iterator[None]:
    """Open a transaction that may write from its first moment."""
    with transaction.atomic(using=router.db_for_write(Alert)):
        # SQLite gives up at once, without waiting, when a transaction that has read
        # wants to write and somebody else wrote meanwhile. One that begins by writing
        # waits for its turn.
        stored(Alert).filter(sequence=0, pk=_NOBODY).update(sequence=0)
        yield


@patient
def last_transition(scope: str) -> int:
    """Return the number of the newest transition of this scope."""
    newest = stored(AlertTransition).filter(scope=scope).aggregate(newest=Max("id"))
    return newest["newest"] or 0


@patient
def open_notices(scope: str) -> list[Notice]:
    """Return the last notice of every alert that is not resolved."""
    rows = (
        stored(AlertTransition)
        .filter(alert__scope=scope, alert__resolved_at__isnull=True)
        .filter(sequence=F("alert__sequence"))
        .order_by("alert_id")
        .values_list("notice", flat=True)
    )
    return [Notice.from_json(notice) for notice in rows]


@patient
def tellings(scope: str, *, since: float) -> list[Telling]:
    """Return the deliveries that still matter: due, of open alerts, or recent ones."""
    rows = (
        stored(Delivery)
        .filter(alert__scope=scope)
        .select_related("alert")
        .defer("alert__evidence", "alert__message")
    )
    is_needed = Q(state=Outcome.DUE) | Q(alert__resolved_at__isnull=True)
    recent = rows.filter(~is_needed, created_at__gte=to_datetime(since))
    # However many there are: without its alarm no end of an alert is told.
    found = [*rows.filter(is_needed), *recent.order_by("-id")[:TELLINGS_LIMIT]]
    return [telling_of(row) for row in sorted(found, key=lambda row: row.pk)]


@patient
def episodes(fingerprints: Collection[str]) -> dict[str, int]:
    """Return how often each of these alerts has fired."""
    rows = (
        stored(Alert)
        .filter(fingerprint__in=fingerprints)
        .order_by()
        .values_list("fingerprint")
        .annotate(Max("episode"))
    )
    return dict(rows)


@patient
def write(record: Record, *, scope: str, seen: int) -> int:
    """Keep a record whole and return the newest transition; raise `Conflict` if late.

    `seen` is the newest transition this evaluator knew of.
    """
    try:
        with writing():
            if stored(AlertTransition).filter(scope=scope, id__gt=seen).exists():
                raise Conflict
            _write_alerts(record.notices, scope)
            stored(AlertTransition).bulk_create(
                transition_of(notice, scope) for notice in record.notices
            )
            stored(Delivery).bulk_create(delivery_of(t) for t in record.tellings)
            _cancel(record)
            _hold(record)
            return last_transition(scope)
    except IntegrityError as error:
        raise Conflict from error


@patient
def set_back(scope: str, seconds: float, *, since: float) -> None:
    """Let deliveries follow a clock that was set back: what waits, and what is to come."""
    ours = stored(Delivery).filter(alert__scope=scope)
    due = ours.filter(state=Outcome.DUE)
    with writing():
        due.update(next_at=F("next_at") - seconds)
        due.filter(claimed_until__gt=0).update(
            claimed_until=F("claimed_until") - seconds
        )
        for name in ("created_at", "settled_at"):
            future = ours.filter(**{f"{name}__gt": to_datetime(since)})
            future.update(**{name: F(name) - timedelta(seconds=seconds)})


def _write_alerts(notices: Sequence[Notice], scope: str) -> None:
    new = [notice for notice in notices if notice.kind is Kind.FIRING]
    stored(Alert).bulk_create(alert_of(notice, scope) for notice in new)
    others = [notice for notice in notices if notice.kind is not Kind.FIRING]
    known = stored(Alert).in_bulk([notice.alert_id for notice in others])
    by_id = {str(key): alert for key, alert in known.items()}
    for notice in others:
        alert = by_id.get(notice.alert_id)
        if alert is None or not _step(alert, notice):
            raise Conflict


def _step(alert: Alert, notice: Notice) -> bool:
    """Take an alert one step further, if nobody else has."""
    mine = stored(Alert).filter(pk=alert.pk, sequence=notice.sequence - 1)
    return mine.update(**changes(alert, notice)) == 1


def _cancel(record: Record) -> None:
    settled_at = to_datetime(max((n.at for n in record.notices), default=0.0))
    for cancelled in record.cancelled:
        waiting = stored(Delivery).filter(
            key=cancelled.key, state=Outcome.DUE, attempts=0
        )
        done = waiting.update(
            state=Outcome.SKIPPED,
            reason=cancelled.reason[:TEXT_LIMIT],
            settled_at=settled_at,
        )
        if not done:
            # It is on its way at this very moment: decide again, knowing that.
            raise Conflict


def _hold(record: Record) -> None:
    """Put off what nobody has tried to send; what is on its way already goes out."""
    for hold in record.held:
        stored(Delivery).filter(key=hold.key, state=Outcome.DUE, attempts=0).update(
            next_at=hold.until, reason=hold.reason[:TEXT_LIMIT]
        )
