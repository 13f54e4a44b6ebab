"""What is known of alerts and of who was told: in the database, or beside it.

The evaluator commits each evaluation here. As long as the database works it is the
truth. When it does not (down, not migrated, no longer there) records go to the backlog
under the same keys, evaluation and notification go on from memory, and the first commit
after its return brings everything into the database.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from django.db import DataError, IntegrityError

from alerting import history
from alerting.notifications.memory import remembered, seconds_back, set_back
from alerting.notifications.policy import HOUR
from alerting.notifications.telling import Outcome
from alerting.replay import replay
from alerting.snapshot import Snapshot, reconciled
from alerting.text import described

if TYPE_CHECKING:
    from alerting.alert import AlertState
    from alerting.backlog import Backlog
    from alerting.evaluator import Key
    from alerting.journal import Journal
    from alerting.labels import Labels
    from alerting.notifications.telling import Telling
    from alerting.record import Record

__all__ = ["SNAPSHOT", "Ledger", "LedgerStatus"]

logger = logging.getLogger("prs_otel")

SNAPSHOT: Final = "alerting/state"
DAY: Final = 86_400.0


@dataclass(frozen=True, slots=True)
class LedgerStatus:
    """Whether the database takes what is committed, and what waits for it."""

    is_database_used: bool
    last_error: str
    journalled: int
    dropped: int


class Ledger:
    """The memory of one evaluator. Its tellings may be read and settled by any thread."""

    def __init__(
        self,
        journal: Journal,
        backlog: Backlog,
        *,
        holder: str,
        scope: Labels = (),
        cooldown: float = 0.0,
    ) -> None:
        self.states: Mapping[Key, AlertState] = {}
        self.backlog = backlog
        self._journal = journal
        self._holder = holder
        self._scope = history.scope_name(scope)
        self._cooldown = cooldown
        self._remembered = max(HOUR, cooldown)
        self._tellings: dict[str, Telling] = {}
        self._lock = threading.Lock()  # protects the table of tellings
        self._seen = 0
        self._at: float | None = None
        self._is_loaded = False
        self._is_degraded = False
        self._last_error = ""
        self._saved = b""

    def prepare(self, *, now: float, cooldowns: Iterable[float] = ()) -> None:
        """Get ready for an evaluation: read what is known, replay what waits.

        `cooldowns` are those that rules have of their own.
        """
        self._remembered = max(HOUR, self._cooldown, *cooldowns)
        if not self._is_loaded:
            self.backlog.restore()
        if self._is_degraded or len(self.backlog):
            self._recover()
        if not self._is_loaded:
            self._load(now)
            self._save()
        self._follow_clock(now)

    def peek(self, *, now: float, cooldowns: Iterable[float] = ()) -> None:
        """Read what is known, and neither replay nor write anything."""
        self._remembered = max(HOUR, self._cooldown, *cooldowns)
        self.backlog.restore()
        # What waits for the database makes the database not the whole of it.
        self._is_degraded = len(self.backlog) > 0
        self._load(now)

    def episodes(self, fingerprints: Collection[str], *, now: float) -> dict[str, int]:
        """Return the number of the episode that begins now for each of these alerts."""
        if fingerprints and not self._is_degraded:
            try:
                known = history.episodes(fingerprints)
            except history.DATABASE_ERRORS as error:
                self._degrade(error)
            else:
                # The first of a day counts from the day: an episode that was forgotten
                # since must not have its number again, by which people know its mail.
                day = int(now // DAY)
                return {each: known.get(each, day) + 1 for each in fingerprints}
        # Without the database nobody knows how many there were. This is later than any
        # number that is counted, and grows.
        return dict.fromkeys(fingerprints, int(now))

    def commit(
        self, record: Record, states: Mapping[Key, AlertState], *, now: float
    ) -> bool:
        """Keep an evaluation whole, or (False) not at all: another was first."""
        if not record.is_empty and not self._keep(record, now):
            self.forget()
            return False
        self.states = states
        with self._lock:
            self._tellings = record.applied(self._tellings, now=now)
            self._forget_old(now)
        self._save()
        return True

    def forget(self) -> None:
        """Read everything anew before the next evaluation."""
        self._is_loaded = False

    def tellings(self) -> list[Telling]:
        """Return what was or is to be told, as far as it still matters."""
        with self._lock:
            return list(self._tellings.values())

    def note(self, tellings: Iterable[Telling]) -> None:
        """Remember what has become of deliveries."""
        with self._lock:
            self._tellings.update((t.key, t) for t in tellings)

    def is_due(self, *, now: float) -> bool:
        """Tell whether there may be something to send."""
        return any(
            telling.state is Outcome.DUE
            and telling.next_at <= now
            and telling.claimed_until <= now
            for telling in self.tellings()
        )

    @property
    def is_database_used(self) -> bool:
        """Tell whether the database is the truth at the moment."""
        return not self._is_degraded

    def status(self) -> LedgerStatus:
        """Return how the ledger is doing."""
        return LedgerStatus(
            self.is_database_used,
            self._last_error,
            len(self.backlog),
            self.backlog.dropped,
        )

    def _keep(self, record: Record, now: float) -> bool:
        if not self._is_degraded:
            try:
                self._seen = history.write(record, scope=self._scope, seen=self._seen)
            except history.Conflict:
                return False
            except history.DATABASE_ERRORS as error:
                self._degrade(error)
            else:
                return True
        if self._snapshot().holder not in {"", self._holder}:
            # Another evaluator has taken over since; what it journalled comes first.
            return False
        self.backlog.add(record, now=now)
        return True

    def _load(self, now: float) -> None:
        saved = self._snapshot()
        # What was held back for one cooldown counts for another when it was told.
        since = max(0.0, now - 2 * self._remembered)
        try:
            # First: what is written while the rest is read must show as a conflict.
            self._seen = history.last_transition(self._scope)
            notices = history.open_notices(self._scope)
            known = history.tellings(self._scope, since=since)
        except history.DATABASE_ERRORS as error:
            self._degrade(error)
            notices = list(self.backlog.notices().values())
            known = [*saved.tellings, *self.backlog.tellings()]
        self.states = reconciled(
            saved.states, notices, is_complete=not self._is_degraded
        )
        with self._lock:
            self._tellings = {telling.key: telling for telling in known}
        self._is_loaded = True

    def _recover(self) -> None:
        try:
            self.backlog.drain(self._replay)
            history.last_transition(self._scope)
        except history.DATABASE_ERRORS as error:
            self._degrade(error)
            return
        self._is_degraded, self._last_error = False, ""
        self.forget()

    def _replay(self, record: Record) -> None:
        try:
            replay(record, scope=self._scope)
        except (IntegrityError, DataError):
            # It will never fit, and must not keep the others out.
            logger.exception("a journalled alert was refused by the database")

    def _degrade(self, error: BaseException) -> None:
        if not self._is_degraded:
            logger.warning(
                "alerts cannot be kept in the database (%s); alerting goes on and will "
                "write them when it is back",
                error,
            )
        self._is_degraded = True
        self._last_error = described(error)

    def _forget_old(self, now: float) -> None:
        self._tellings = remembered(
            self._tellings,
            {state.alert_id for state in self.states.values()},
            since=now - self._remembered,
            limit=history.TELLINGS_LIMIT,
        )

    def _follow_clock(self, now: float) -> None:
        """Take what was told by a clock that has been set back since for what it is."""
        tellings = self.tellings()
        seconds = seconds_back(tellings, last=self._at, now=now)
        self._at = now
        changed = [
            after
            for before in tellings
            if (after := set_back(before, seconds, now=now)) is not before
        ]
        if not changed:
            return
        self.note(changed)
        known = {telling.key for telling in changed}
        self.backlog.change(known, lambda t: set_back(t, seconds, now=now))
        if seconds and not self._is_degraded:
            try:
                history.set_back(self._scope, seconds, since=now)
            except history.DATABASE_ERRORS as error:
                self._degrade(error)

    def _snapshot(self) -> Snapshot:
        return Snapshot.from_bytes(self._journal.get(SNAPSHOT))

    def _save(self) -> None:
        tellings = tuple(self.tellings())
        document = Snapshot(
            self._holder, tuple(self.states.values()), tellings
        ).to_bytes()
        if document != self._saved:
            self._journal.put(SNAPSHOT, document)
            self._saved = document
