"""Deliveries in the database, of one scope."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from django.db.models import F, Min

from alerting.database import patient
from alerting.history import stored
from alerting.models import AlertTransition, Delivery
from alerting.notice import Notice
from alerting.notifications.telling import ALARMS, Outcome
from alerting.rows import delivery_fields, telling_of
from alerting.times import to_datetime

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from alerting.notifications.batching import Place
    from alerting.notifications.outcome import Settlement
    from alerting.notifications.telling import Telling
    from alerting.outbox.outbox import Claim, Parcel

__all__ = ["DatabaseBox"]

DUE_LIMIT: Final = 1_000
_SETTLED: Final = (
    "state",
    "next_at",
    "last_error",
    "settled_at",
    "claimed_until",
    "recipients",
    "accepted",
)


class DatabaseBox:
    """The table of deliveries; every change is a compare-and-set."""

    def __init__(self, scope: str) -> None:
        self._scope = scope

    @patient
    def due(self, *, now: float) -> list[Telling]:
        """Return what may be claimed now, what has waited longest first.

        Of what is to go out together all, however much that is.
        """
        free = (
            stored(Delivery)
            .filter(
                alert__scope=self._scope,
                state=Outcome.DUE,
                next_at__lte=now,
                claimed_until__lte=now,
            )
            .select_related("alert")
            .defer("alert__evidence", "alert__message")
            .order_by("next_at", "id")
        )
        found = [telling_of(row) for row in free[:DUE_LIMIT]]
        if len(found) < DUE_LIMIT:
            return found
        batches = {telling.batch for telling in found} - {""}
        known = {telling.key for telling in found}
        rest = (telling_of(row) for row in free.filter(batch__in=batches))
        return [*found, *(telling for telling in rest if telling.key not in known)]

    @patient
    def first(self, tellings: Sequence[Telling]) -> Mapping[Place, int]:
        """Return the lowest sequence still due for each alert and channel."""
        rows = (
            _of_alerts(tellings)
            .filter(state=Outcome.DUE)
            .order_by()
            .values_list("alert_id", "channel")
            .annotate(Min("sequence"))
        )
        return {(str(alert), channel): first for alert, channel, first in rows}

    @patient
    def told(self, tellings: Sequence[Telling]) -> Mapping[Place, tuple[str, ...]]:
        """Return who was told of each alert, on each channel, that it fired."""
        rows = (
            _of_alerts(tellings)
            .filter(state=Outcome.SENT, kind__in=ALARMS)
            .values_list("alert_id", "channel", "recipients")
        )
        told: dict[Place, tuple[str, ...]] = {}
        for alert, channel, recipients in rows:
            place = (str(alert), channel)
            told[place] = tuple(dict.fromkeys((*told.get(place, ()), *recipients)))
        return told

    @patient
    def skip(self, keys: Collection[str], *, reason: str, now: float) -> list[Telling]:
        """Settle tellings that need not be sent."""
        _due(keys).update(
            state=Outcome.SKIPPED, reason=reason, settled_at=to_datetime(now)
        )
        rows = stored(Delivery).filter(key__in=keys).select_related("alert")
        return [telling_of(row) for row in rows]

    @patient
    def take(
        self, chosen: Sequence[Telling], claim: Claim, *, now: float
    ) -> tuple[list[Telling], list[Notice]]:
        """Claim tellings, and return those that were still free with their notices."""
        free = _due([t.key for t in chosen]).filter(claimed_until__lte=now)
        free.update(
            claimed_by=claim.holder,
            claimed_until=claim.until,
            batch=claim.batch,
            recipients=list(chosen[0].recipients),
            attempts=F("attempts") + 1,
        )
        mine = stored(Delivery).filter(claimed_by=claim.holder).select_related("alert")
        tellings = [telling_of(row) for row in mine.order_by("id")]
        return tellings, _notices(tellings)

    @patient
    def notices(self, keys: Collection[str]) -> dict[str, Notice]:
        """Return those of these notices that lie here, by their keys."""
        return {notice.key: notice for notice in _noticed(_step(key) for key in keys)}

    @patient
    def settle(self, parcel: Parcel, settlement: Settlement) -> list[Telling]:
        """Write down the result for what is still claimed by this parcel."""
        tellings = [settlement.apply(telling) for telling in parcel.tellings]
        fields = delivery_fields(tellings[0])
        changed = {name: fields[name] for name in _SETTLED}
        mine = _due(parcel.keys).filter(claimed_by=parcel.claim.holder)
        mine.update(**changed, claimed_by="")
        return tellings


def _of_alerts(tellings: Sequence[Telling]) -> QuerySet[Delivery]:
    alerts = {telling.alert_id for telling in tellings}
    return stored(Delivery).filter(alert_id__in=alerts)


def _due(keys: Collection[str]) -> QuerySet[Delivery]:
    return stored(Delivery).filter(key__in=keys, state=Outcome.DUE)


def _notices(tellings: Sequence[Telling]) -> list[Notice]:
    return _noticed((telling.alert_id, telling.sequence) for telling in tellings)


def _step(key: str) -> tuple[str, int]:
    alert, _, sequence = key.rpartition(":")
    return alert, int(sequence)


def _noticed(steps: Iterable[tuple[str, int]]) -> list[Notice]:
    wanted = set(steps)
    rows = (
        stored(AlertTransition)
        .filter(alert_id__in={alert for alert, _ in wanted})
        .order_by("id")
        .values_list("alert_id", "sequence", "notice")
    )
    return [
        Notice.from_json(notice)
        for alert, sequence, notice in rows
        if (str(alert), sequence) in wanted
    ]
