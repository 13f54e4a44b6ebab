"""Silences in the database: listed, created, ended before their time."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Mapping
from datetime import UTC
from typing import TYPE_CHECKING, Final

from django.db import router, transaction
from pydantic import ValidationError

from alerting.database import patient
from alerting.history import DATABASE_ERRORS, stored
from alerting.models import StoredSilence
from alerting.notifications.silence import Silence
from alerting.text import described
from alerting.times import from_datetime, to_datetime, utc

if TYPE_CHECKING:
    from django.db.models import QuerySet

__all__ = [
    "LIMIT",
    "Silences",
    "TooManyError",
    "create",
    "expire",
    "is_full",
    "read",
    "replace",
    "rows",
    "timed",
    "understood",
]

logger = logging.getLogger("prs_otel")

REFRESH: Final = 60.0  # seconds
LIMIT: Final = 500
"""How many silences may be in force or to come: every alert is held against each."""


class TooManyError(Exception):
    """There are as many silences as there may be."""

    def __init__(self) -> None:
        super().__init__(f"There are {LIMIT} silences already; end one first.")


class Silences:
    """What the evaluator knows of silences; without the database, what it last knew."""

    def __init__(self) -> None:
        self._known: tuple[Silence, ...] = ()
        self._read_at = float("-inf")
        self._failed: set[str] = set()

    def refresh(self, *, now: float) -> None:
        """Read them now and then, so as to know them when the database goes away."""
        if not 0 <= now - self._read_at < REFRESH:
            self.current(now=now)

    def current(self, *, now: float) -> tuple[Silence, ...]:
        """Return the silences that have begun and not ended. Never raises for a database."""
        self._read_at = now
        try:
            self._known = _started(now)
        except DATABASE_ERRORS:
            # The ledger meets the same trouble, and tells.
            logger.debug("silences cannot be read; those last known are in force")
        return self._known

    def complain(self, failures: Mapping[str, Exception]) -> None:
        """Log once of each silence that it could not be asked, and so mutes nothing."""
        self._failed &= {silence.id for silence in self._known}
        for silence_id in failures.keys() - self._failed:
            why = described(failures[silence_id])
            logger.error("The silence %s mutes nothing: %s", silence_id, why)
        self._failed |= failures.keys()


def rows(*, now: float, is_over: bool = False) -> QuerySet[StoredSilence]:
    """Return the silences that are in force or to come, or those that are over."""
    if is_over:
        return stored(StoredSilence).filter(ends_at__lte=to_datetime(now))
    return _not_over(now)


def read(found: QuerySet[StoredSilence]) -> list[Silence]:
    """Return rows as plain data, without those that a release no longer understands."""
    understandable = map(understood, found)
    return [silence for silence in understandable if silence is not None]


def understood(row: StoredSilence) -> Silence | None:
    """Return a row as plain data; None, and logged, for what a release does not understand."""
    try:
        return _silence(row)
    except (TypeError, ValidationError) as error:
        logger.warning("the silence %s is left out: %s", row.pk, error)
        return None


def timed(matchers: object, *, hours: float, comment: str, now: float) -> Silence:
    """Return a silence that begins now; raises `ValueError`."""
    try:
        begin, end = utc(now), utc(now + hours * 3600)
    except (OverflowError, ValueError) as error:
        raise ValueError(
            f"hours cannot be {hours!r}; write a number such as 2"
        ) from error
    return Silence.model_validate(
        {"matchers": matchers, "starts_at": begin, "ends_at": end, "comment": comment}
    )


def create(silence: Silence, *, author: str, now: float) -> Silence:
    """Store a silence and return it with its id; raises `TooManyError`."""
    if is_full(now=now):
        raise TooManyError
    row = stored(StoredSilence).create(
        id=uuid.uuid4(),
        definition=silence.definition(),
        starts_at=to_datetime(silence.starts_at.timestamp()),
        ends_at=to_datetime(silence.ends_at.timestamp()),
        author=author,
        comment=silence.comment,
        created_at=to_datetime(now),
    )
    return _silence(row)


def is_full(*, now: float) -> bool:
    """Tell whether there are as many as there may be."""
    return _not_over(now).count() >= LIMIT


def replace(
    silence_id: uuid.UUID, silence: Silence, *, author: str, now: float
) -> Silence:
    """End a silence and store another in its place, in one step.

    Raises `LookupError` for one that is over, and `TooManyError`.
    """
    with transaction.atomic(using=router.db_for_write(StoredSilence)):
        if not expire(silence_id, now=now):
            raise LookupError(f"The silence {silence_id} has ended; add another one.")
        return create(silence, author=author, now=now)


def expire(silence_id: uuid.UUID, *, now: float) -> bool:
    """End a silence now; tell whether it was in force or to come."""
    found = _not_over(now).filter(pk=silence_id)
    at = to_datetime(now)
    # One that has not begun ends where it begins.
    begun = found.filter(starts_at__lt=at).update(ends_at=at)
    return bool(begun or found.delete()[0])


@patient
def _started(now: float) -> tuple[Silence, ...]:
    started = _not_over(now).filter(starts_at__lte=to_datetime(now))
    return tuple(read(started[:LIMIT]))


def _not_over(now: float) -> QuerySet[StoredSilence]:
    return (
        stored(StoredSilence)
        .filter(ends_at__gt=to_datetime(now))
        .order_by("ends_at", "pk")
    )


def _silence(row: StoredSilence) -> Silence:
    return Silence.model_validate(
        {
            **row.definition,
            "id": str(row.pk),
            "author": row.author,
            "comment": row.comment,
            "starts_at": utc(from_datetime(row.starts_at)).astimezone(UTC),
            "ends_at": utc(from_datetime(row.ends_at)),
        }
    )
