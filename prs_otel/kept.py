"""Let another package keep what people change of its settings dictionary, as ours is kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from prs_otel import configuration
from prs_otel.configuration import SEPARATOR, Section

if TYPE_CHECKING:
    from datetime import datetime

    from django.contrib.auth.base_user import AbstractBaseUser

    from prs_otel.changes import Refusal
    from prs_otel.distribution import Changed

Judge = Callable[[Mapping[str, object], Mapping[str, object]], None]


class KeptSettings:
    """Changes of the setting `name`, in the row of the database that is its own; ours is 1.

    Every method raises `django.db.Error` without the database.
    """

    def __init__(self, name: str, *, row: int) -> None:
        self._section = Section(row, f"{name}{SEPARATOR}", lambda *_: [])

    def stored(self) -> Changed:
        """Return the changes as the database has them, with their revision."""
        return configuration.stored(self._section)

    def change(
        self,
        asked: Mapping[str, object],
        *,
        judge: Judge,
        user: AbstractBaseUser,
        now: datetime,
    ) -> Changed:
        """Keep and audit changes, null taking one back; return all that are in force then.

        `judge` gets what is asked and what is stored, and raises whatever shall refuse it.
        Raises `ContendedError` when others were always first.
        """

        def judged(
            asked: Mapping[str, object], before: Mapping[str, object]
        ) -> list[Refusal]:
            judge(asked, before)
            return []

        section = replace(self._section, refusals=judged)
        return configuration.change(asked, user=user, now=now, section=section)

    def audit(self, *, limit: int, offset: int) -> tuple[list[dict[str, Any]], int]:
        """Return who changed what, newest first, and how many changes there are in all."""
        rows = self._section.audit()
        page = [
            {
                "revision": row.revision,
                "key": row.key.removeprefix(self._section.prefix),
                "old": row.old,
                "new": row.new,
                "user": row.username,
                "time": row.changed_at,
            }
            for row in rows[offset : offset + limit]
        ]
        return page, rows.count()
