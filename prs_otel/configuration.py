"""Settings changed at run time: the database is their truth, the store hands them to the workers.

Whoever makes a change distributes it. The leader looks whether the store has what the database
says, and so repairs what failed, was lost with the store, or was decided on another host.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from django.core.exceptions import ImproperlyConfigured
from django.db import Error, connections, router, transaction

from prs_otel import changes, conf, guard, pipeline
from prs_otel.background import Background
from prs_otel.distribution import Changed, distribute, distributed
from prs_otel.instrumentation.database import unmeasured
from prs_otel.models import Configuration, SettingChange
from prs_otel.store.base import Store, StoreError

if TYPE_CHECKING:
    from datetime import datetime

    from django.contrib.auth.base_user import AbstractBaseUser
    from django.db.models import QuerySet

    from prs_otel.changes import Refusal
    from prs_otel.leader import Stop
    from prs_otel.store.base import Lease

DATABASE_ERRORS: Final = (Error, ImproperlyConfigured, OSError)

_ATTEMPTS: Final = 5
_STOP_TIMEOUT: Final = 2.0
_LOOK_EVERY: Final = 5.0
"""Seconds between two looks, or longer: each may cost a connection to the database."""


class RefusedError(Exception):
    """Report that changes are not valid, with every reason."""

    def __init__(self, refusals: list[Refusal]) -> None:
        super().__init__("; ".join(refusal.message for refusal in refusals))
        self.refusals = refusals


class ContendedError(Exception):
    """Report that others have changed settings all the time."""


@dataclass(frozen=True, slots=True)
class Section:
    """A settings dictionary whose changes are kept: in a row of its own, and so audited.

    Its keys begin with `prefix` in the audit. `refusals` judges what is asked on top of what
    is stored; it may raise as well, and then nothing is kept either.
    """

    row: int
    prefix: str
    refusals: Callable[[Mapping[str, object], Mapping[str, object]], list[Refusal]]

    def audit(self) -> QuerySet[SettingChange]:
        """Return who changed what of it, newest first, keys with their prefix."""
        rows = SettingChange.objects.all()
        if self.prefix:
            return rows.filter(key__startswith=self.prefix)
        return rows.exclude(key__contains=SEPARATOR)


SEPARATOR: Final = ":"
"""What ends a prefix; no key has it."""
MONITORING: Final = Section(
    1, "", lambda asked, before: changes.refusals(asked, stored=before)
)


def stored(section: Section = MONITORING) -> Changed:
    """Return the changes as the database has them. Raises one of `DATABASE_ERRORS`."""
    rows = Configuration.objects.using(_alias()).filter(pk=section.row)
    for revision, found in rows.values_list("revision", "changes"):
        return Changed(revision, dict(found))
    return Changed()


def change(
    asked: Mapping[str, object],
    *,
    user: AbstractBaseUser,
    now: datetime,
    section: Section = MONITORING,
) -> Changed:
    """Keep changes with who made them; return all that are in force then.

    `None` takes a change back. Nothing is distributed yet. Raises `RefusedError`, keeping
    nothing, `ContendedError`, and `DATABASE_ERRORS`.
    """
    for _ in range(_ATTEMPTS):
        before = stored(section)
        found = section.refusals(asked, before.changes)
        if found:
            raise RefusedError(found)
        after = changes.merged(before.changes, asked)
        if after == before.changes:
            return before
        made = Changed(before.revision + 1, after)
        audit = list(_audit(before, made, user=user, now=now, prefix=section.prefix))
        if _keep(section.row, before, made, audit):
            return made
    raise ContendedError


def republish(store: Store) -> bool:
    """Distribute what the database says, unless the store has it; tell whether it had not.

    Raises `DATABASE_ERRORS`, `StoreError`.
    """
    truth = stored()
    is_new = distributed(store) != truth
    if is_new:
        distribute(store, truth)
    return is_new


def start(lease: Lease) -> Stop:
    """Republish as long as this process leads; return what ends it. Does not block."""
    publishing = Background(
        "prs-otel-configuration", lambda: look(pipeline.store()), last=_hang_up
    )
    publishing.start()

    def stop() -> None:
        publishing.stop(_STOP_TIMEOUT)

    return stop


def look(store: Store) -> float:
    """Repair what is missing in the store, and return the seconds until the next look."""
    try:
        with _surroundings():
            republish(store)
    except StoreError as error:
        guard.tolerated("configuration.publish", error)
    except DATABASE_ERRORS as error:
        # A project that never changed a setting need not have the tables for it.
        with suppress(StoreError):
            if distributed(store) is not None:
                guard.tolerated("configuration.publish", error)
    return max(_LOOK_EVERY, conf.current().flush_interval)


def _hang_up() -> float:
    # Connections belong to their thread, and this one ends.
    connections.close_all()
    return 0.0


@contextmanager
def _surroundings() -> Iterator[None]:
    """Use the database as a request would, without being measured."""
    with unmeasured():
        try:
            yield
        finally:
            for each in connections.all(initialized_only=True):
                with suppress(*DATABASE_ERRORS):
                    if not each.in_atomic_block:
                        each.close_if_unusable_or_obsolete()


def _keep(row: int, before: Changed, made: Changed, audit: list[SettingChange]) -> bool:
    """Write the row and the audit; nothing, and False, when somebody else was first."""
    rows = Configuration.objects.using(_alias())
    rows.get_or_create(pk=row)
    with transaction.atomic(using=_alias()):
        unchanged = rows.filter(pk=row, revision=before.revision)
        count = unchanged.update(revision=made.revision, changes=dict(made.changes))
        if count:
            SettingChange.objects.using(_alias()).bulk_create(audit)
    return bool(count)


def _audit(
    before: Changed,
    made: Changed,
    *,
    user: AbstractBaseUser,
    now: datetime,
    prefix: str,
) -> Iterator[SettingChange]:
    for key in sorted({*before.changes, *made.changes}):
        old, new = before.changes.get(key), made.changes.get(key)
        if old != new:
            yield SettingChange(
                revision=made.revision,
                key=f"{prefix}{key}",
                old=old,
                new=new,
                changed_at=now,
                username=user.get_username(),
                user_id=user.pk,
            )


def _alias() -> str:
    # A replica may not know yet what was just written.
    return router.db_for_write(Configuration)
