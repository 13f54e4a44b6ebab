"""What is to go into the database as soon as it works again.

Records are kept in memory and, so that the next evaluator finds them, in the journal.
Their deliveries are sent from here meanwhile; what becomes of them is written down
here, too. Safe to use from several threads.
"""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from alerting.notifications.telling import Outcome
from alerting.record import Record

if TYPE_CHECKING:
    from alerting.journal import Journal
    from alerting.notice import Notice
    from alerting.notifications.telling import Telling

__all__ = ["Backlog"]

logger = logging.getLogger("prs_otel")

PREFIX: Final = "alerting/journal/"
RECORDS_LIMIT: Final = 1_000


class Backlog:
    """Records in the order in which they were made."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._records: dict[str, Record] = {}
        self._lock = threading.RLock()  # protects the table of records
        self.dropped = 0

    def __len__(self) -> int:
        return len(self._records)

    def restore(self) -> None:
        """Take over what an earlier evaluator has left in the journal."""
        with self._lock:
            for key in self._journal.keys(PREFIX):
                if key not in self._records:
                    self._restore(key)
            self._records = dict(sorted(self._records.items()))

    def _restore(self, key: str) -> None:
        document = self._journal.get(key)
        try:
            self._records[key] = Record.from_json(json.loads(document or b"null"))
        except (TypeError, ValueError) as error:
            logger.warning("a journalled alert cannot be read: %s", error)
            self._journal.delete(key)

    def add(self, record: Record, *, now: float) -> None:
        """Append a record; beyond the limit the oldest is lost, and counted."""
        with self._lock:
            why = {cancelled.key: cancelled.reason for cancelled in record.cancelled}
            self.change(why, lambda t: t.skipped(why[t.key], at=now))
            held = {hold.key: hold for hold in record.held}
            self.change(held, lambda t: t.held(held[t.key].until, held[t.key].reason))
            first = next((notice.key for notice in record.notices), "")
            self._keep(f"{PREFIX}{round(now * 1000):015d}:{first}", record)
            while len(self._records) > RECORDS_LIMIT:
                self._remove(next(iter(self._records)))
                self.dropped += 1

    def drain(self, write: Callable[[Record], None]) -> None:
        """Write record after record, the oldest first, and forget what is written.

        What `write` raises ends it. Nothing is claimed or settled meanwhile, so that a
        delivery is never in two places.
        """
        with self._lock:
            for key, record in list(self._records.items()):
                write(record)
                self._remove(key)

    def tellings(self) -> list[Telling]:
        """Return every delivery that waits here."""
        with self._lock:
            return [t for record in self._records.values() for t in record.tellings]

    def notices(self) -> dict[str, Notice]:
        """Return every notice by its key."""
        with self._lock:
            return {
                n.key: n for record in self._records.values() for n in record.notices
            }

    def change(
        self, keys: Iterable[str], change: Callable[[Telling], Telling]
    ) -> list[Telling]:
        """Change the deliveries of these keys that are due; return those that changed."""
        wanted = set(keys)
        changed: list[Telling] = []
        with self._lock:
            for key, record in list(self._records.items()):
                now = tuple(
                    change(t) if t.key in wanted and t.state is Outcome.DUE else t
                    for t in record.tellings
                )
                if now != record.tellings:
                    was = set(record.tellings)
                    changed += [telling for telling in now if telling not in was]
                    self._keep(key, replace(record, tellings=now))
        return changed

    def _remove(self, key: str) -> None:
        self._records.pop(key, None)
        self._journal.delete(key)

    def _keep(self, key: str, record: Record) -> None:
        self._records[key] = record
        self._journal.put(key, json.dumps(record.to_json()).encode())
