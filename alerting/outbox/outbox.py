"""Deliveries on their way: claim, hand over to be sent, settle.

A claim is a compare-and-set, so one sender has a telling at a time; it expires, so that
a sender that died leaves nothing behind. Whoever takes over sends the same tellings as
the same message, which a mail client recognises by its id: at most one repeat.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Protocol

from alerting.history import DATABASE_ERRORS
from alerting.notifications.batching import choose, in_turn
from alerting.text import described

if TYPE_CHECKING:
    from alerting.ledger import Ledger
    from alerting.notice import Notice
    from alerting.notifications.batching import Place
    from alerting.notifications.outcome import Settlement
    from alerting.notifications.telling import Telling

__all__ = ["Box", "Claim", "Outbox", "Parcel"]

# Longer than any one message takes, and than a process may plausibly be frozen.
CLAIM_SECONDS: Final = 120.0
NOBODY: Final = "nobody was told that it fired"


@dataclass(frozen=True, slots=True)
class Claim:
    """Who may send what until when; `batch` names the message at every attempt."""

    holder: str
    batch: str
    until: float


@dataclass(frozen=True, slots=True)
class Parcel:
    """Claimed tellings, to be sent as one message."""

    claim: Claim
    tellings: tuple[Telling, ...]
    notices: tuple[Notice, ...]

    @property
    def keys(self) -> list[str]:
        """The tellings' keys."""
        return [telling.key for telling in self.tellings]


class Box(Protocol):
    """Where deliveries lie: in the database, or in the backlog while that is away."""

    def due(self, *, now: float) -> list[Telling]:
        """Return what may be claimed now, what has waited longest first."""
        ...

    def first(self, tellings: Sequence[Telling]) -> Mapping[Place, int]:
        """Return the lowest sequence still due for each alert and channel."""
        ...

    def told(self, tellings: Sequence[Telling]) -> Mapping[Place, tuple[str, ...]]:
        """Return who was told of each alert, on each channel, that it fired."""
        ...

    def skip(self, keys: Collection[str], *, reason: str, now: float) -> list[Telling]:
        """Settle tellings that need not be sent."""
        ...

    def take(
        self, chosen: Sequence[Telling], claim: Claim, *, now: float
    ) -> tuple[list[Telling], list[Notice]]:
        """Claim tellings, and return those that were still free with their notices."""
        ...

    def notices(self, keys: Collection[str]) -> dict[str, Notice]:
        """Return those of these notices that lie here, by their keys."""
        ...

    def settle(self, parcel: Parcel, settlement: Settlement) -> list[Telling]:
        """Write down the result for what is still claimed by this parcel."""
        ...


class Outbox:
    """What one sender draws from. Used by one thread."""

    def __init__(
        self, ledger: Ledger, database: Box, backlog: Box, *, batch_size: int
    ) -> None:
        self._ledger = ledger
        self._database = database
        self._backlog = backlog
        self.batch_size = batch_size
        self._unsettled: list[tuple[Parcel, Settlement]] = []
        self.last_error = ""

    def claim(self, *, now: float) -> Parcel | None:
        """Return the next message to send, None when there is none."""
        # Memory spares the database the question as long as nothing is due.
        if not (self._unsettled or self._ledger.is_due(now=now)):
            return None
        parcel = self._claim(self._backlog, now)
        if parcel is not None or not self._ledger.is_database_used:
            return parcel
        try:
            # What was sent but not written down would be sent again.
            self._settle_again()
            parcel = self._claim(self._database, now)
        except DATABASE_ERRORS as error:
            self.last_error = described(error)
            return None
        self.last_error = ""
        return parcel

    def notices(self, keys: Collection[str]) -> dict[str, Notice]:
        """Return notices by their keys, wherever they are; raise when the database fails."""
        found = self._backlog.notices(keys)
        missing = [key for key in keys if key not in found]
        if missing and self._ledger.is_database_used:
            found.update(self._database.notices(missing))
        return found

    def settle(self, parcel: Parcel, settlement: Settlement) -> None:
        """Write down the result of an attempt; if that fails, before the next claim."""
        try:
            self._settle(parcel, settlement)
        except DATABASE_ERRORS as error:
            self.last_error = described(error)
            self._unsettled.append((parcel, settlement))

    def _settle_again(self) -> None:
        while self._unsettled:
            self._settle(*self._unsettled[0])
            self._unsettled.pop(0)

    def _settle(self, parcel: Parcel, settlement: Settlement) -> None:
        # Each time: memory may have been read anew from where it was not written down.
        self._ledger.note(settlement.apply(telling) for telling in parcel.tellings)
        settled = {telling.key for telling in self._backlog.settle(parcel, settlement)}
        # The backlog may have gone into the database while the message was on its way.
        others = tuple(t for t in parcel.tellings if t.key not in settled)
        if others:
            self._database.settle(replace(parcel, tellings=others), settlement)

    def _claim(self, box: Box, now: float) -> Parcel | None:
        candidates = box.due(now=now)
        due = in_turn(candidates, box.first(candidates))
        chosen = choose(self._addressed(box, due, now), size=self.batch_size)
        if not chosen:
            return None
        batch = chosen[0].batch or chosen[0].key
        claim = Claim(uuid.uuid4().hex, batch, now + CLAIM_SECONDS)
        tellings, notices = box.take(chosen, claim, now=now)
        if not tellings:
            return None
        self._ledger.note(tellings)
        return Parcel(claim, tuple(tellings), tuple(notices))

    def _addressed(self, box: Box, due: list[Telling], now: float) -> list[Telling]:
        """Give resolutions their recipients; skip those that nobody waits for."""
        resolutions = [telling for telling in due if telling.is_resolution]
        told = box.told(resolutions) if resolutions else {}
        idle = [t for t in resolutions if not told.get((t.alert_id, t.channel))]
        if idle:
            keys = {telling.key for telling in idle}
            self._ledger.note(box.skip(keys, reason=NOBODY, now=now))
        return [
            replace(t, recipients=told[t.alert_id, t.channel]) if t.is_resolution else t
            for t in due
            if t not in idle
        ]
