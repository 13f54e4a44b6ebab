"""Deliveries in the backlog, while the database is away."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from alerting.notifications.telling import Outcome

if TYPE_CHECKING:
    from alerting.backlog import Backlog
    from alerting.ledger import Ledger
    from alerting.notice import Notice
    from alerting.notifications.batching import Place
    from alerting.notifications.outcome import Settlement
    from alerting.notifications.telling import Telling
    from alerting.outbox.outbox import Claim, Parcel

__all__ = ["JournalledBox"]


class JournalledBox:
    """What waits for the database need not wait to be sent."""

    def __init__(self, backlog: Backlog, ledger: Ledger) -> None:
        self._backlog = backlog
        self._ledger = ledger

    def due(self, *, now: float) -> list[Telling]:
        """Return what may be claimed now, what has waited longest first."""
        unheard = self._unheard()
        free = [
            telling
            for telling in self._backlog.tellings()
            if telling.state is Outcome.DUE
            and telling.next_at <= now
            and telling.claimed_until <= now
            and not (telling.is_resolution and _place(telling) in unheard)
        ]
        return sorted(free, key=lambda telling: telling.next_at)

    def first(self, tellings: Sequence[Telling]) -> Mapping[Place, int]:
        """Return the lowest sequence still due for each alert and channel."""
        first: dict[Place, int] = {}
        for telling in self._backlog.tellings():
            if telling.state is Outcome.DUE:
                place = _place(telling)
                first[place] = min(first.get(place, telling.sequence), telling.sequence)
        return first

    def told(self, tellings: Sequence[Telling]) -> Mapping[Place, tuple[str, ...]]:
        """Return who was told, also by what the database knew before it went away."""
        told: dict[Place, tuple[str, ...]] = {}
        for t in self._ledger.tellings():
            if t.is_alarm and t.state is Outcome.SENT:
                before = told.get(_place(t), ())
                told[_place(t)] = tuple(dict.fromkeys((*before, *t.recipients)))
        return told

    def skip(self, keys: Collection[str], *, reason: str, now: float) -> list[Telling]:
        """Settle tellings that need not be sent."""
        return self._backlog.change(keys, lambda t: t.skipped(reason, at=now))

    def take(
        self, chosen: Sequence[Telling], claim: Claim, *, now: float
    ) -> tuple[list[Telling], list[Notice]]:
        """Claim tellings: nobody but this process's one sender sees them."""

        def claimed(telling: Telling) -> Telling:
            return replace(
                telling,
                claimed_by=claim.holder,
                claimed_until=claim.until,
                batch=claim.batch,
                recipients=chosen[0].recipients,
                attempts=telling.attempts + 1,
            )

        changed = self._backlog.change([t.key for t in chosen], claimed)
        mine = [telling for telling in changed if telling.claimed_by == claim.holder]
        notices = self._backlog.notices()
        return mine, [notices[f"{t.alert_id}:{t.sequence}"] for t in mine]

    def notices(self, keys: Collection[str]) -> dict[str, Notice]:
        """Return those of these notices that lie here, by their keys."""
        waiting = self._backlog.notices()
        return {key: waiting[key] for key in keys if key in waiting}

    def settle(self, parcel: Parcel, settlement: Settlement) -> list[Telling]:
        """Write down the result; nothing when it has gone to the database meanwhile."""

        def settled(telling: Telling) -> Telling:
            is_mine = telling.claimed_by == parcel.claim.holder
            return settlement.apply(telling) if is_mine else telling

        return self._backlog.change(parcel.keys, settled)

    def _unheard(self) -> set[Place]:
        """Return where an alarm is still to be told, also one that is in the database.

        Its resolution waits for it: the alarm goes out when the database is back, and
        must be followed by its end. A worse alarm is too urgent to wait for that.
        """
        return {
            _place(telling)
            for telling in self._ledger.tellings()
            if telling.is_alarm and telling.state is Outcome.DUE
        }


def _place(telling: Telling) -> Place:
    return telling.alert_id, telling.channel
