"""Settings changed at run time: the database is their truth, the store hands them out.

The evaluator looks before each evaluation, and hands on what it finds; other processes read that
when they need it. Without the database what is known stays in force.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Protocol

from alerting import conf
from alerting.database import patient
from alerting.history import DATABASE_ERRORS

if TYPE_CHECKING:
    from alerting.journal import Journal
    from alerting.settings_model import AlertingSettings

__all__ = ["DOCUMENT", "Changed", "Following", "Stored", "handed_out", "look"]

DOCUMENT: Final = "alerting/configuration"
"""The key under which the store has the latest of them."""


class Stored(Protocol):
    """What the database has of changes."""

    @property
    def revision(self) -> int:
        """How often something was changed."""
        ...

    @property
    def changes(self) -> Mapping[str, Any]:
        """Every key that is not as the settings file says."""
        ...


@dataclass(frozen=True, slots=True)
class Changed:
    """Every key that is not as the settings file says, with JSON values; `revision` grows."""

    revision: int = 0
    changes: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, stored: Stored) -> Changed:
        """Return what is stored as this knows it."""
        return cls(stored.revision, dict(stored.changes))

    def to_bytes(self) -> bytes:
        """Return the changes as a document."""
        document = {"revision": self.revision, "changes": dict(self.changes)}
        return json.dumps(document, sort_keys=True).encode()


def handed_out(journal: Journal) -> Changed | None:
    """Return what was handed out last, None where there is nothing or it cannot be read."""
    document = journal.get(DOCUMENT)
    try:
        found: Any = json.loads(document or b"null")
        return Changed(int(found["revision"]), dict(found["changes"]))
    except (KeyError, TypeError, ValueError):
        return None


def look(journal: Journal) -> None:
    """Put in force here what was handed out last."""
    found = handed_out(journal)
    if found is not None:
        conf.change(found.changes)


class Following:
    """Puts in force what is stored. Used by the evaluator's thread alone."""

    def __init__(self, stored: Callable[[], Stored], journal: Journal) -> None:
        self._stored = stored
        self._journal = journal
        self._known: Changed | None = None

    @property
    def revision(self) -> int:
        """Return by which revision this process works."""
        return 0 if self._known is None else self._known.revision

    @property
    def settings(self) -> AlertingSettings:
        """Return what is in force by that revision, whatever others here have read since."""
        known = self._known or Changed()
        return conf.changed_by(known.changes)[0]

    def look(self) -> bool:
        """Tell whether something has changed since the last look; it is in force by now."""
        found = self._latest()
        is_new = found != (self._known or Changed())
        self._known = found
        if is_new:
            conf.change(found.changes)
        return is_new

    def _latest(self) -> Changed:
        out = handed_out(self._journal)
        try:
            found = Changed.of(patient(self._stored)())
        except DATABASE_ERRORS:
            # The ledger meets the same trouble, and tells.
            return self._known or out or Changed()
        if found != (out or Changed()):
            self._journal.put(DOCUMENT, found.to_bytes())
        return found
