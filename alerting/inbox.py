"""What other systems have posted, written down for the evaluator.

A request is kept whole or not at all, together with its signature. So what was refused
for want of a database may be sent again as it is, and what was taken may not.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from django.db import IntegrityError, OperationalError

from alerting.history import stored, writing
from alerting.models import Alert, ExternalAlert, ReceivedSignature
from alerting.times import to_datetime
from alerting.webhook.credentials import TOLERANCE
from alerting.webhook.posted import Known, is_news

if TYPE_CHECKING:
    from alerting.webhook.posted import Posted

__all__ = ["ROWS_LIMIT", "FullError", "Inbox", "Receipt", "ReplayError"]

ROWS_LIMIT: Final = 10_000
"""How many alerts of others are remembered; those that are over make room for new ones."""
RETRIES: Final = 2
_FIELDS: Final = (
    "name",
    "severity",
    "labels",
    "message",
    "metrics",
    "url",
    "is_firing",
    "is_noticed",
    "is_settled",
    "starts_at",
    "ends_at",
    "expires_at",
    "received_at",
)


class FullError(Exception):
    """So many alerts fire elsewhere that there is no room for another."""


class ReplayError(Exception):
    """This very request has been taken before."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """How many alerts of a request were news, and how many were not."""

    accepted: int
    ignored: int


@dataclass(frozen=True, slots=True)
class Inbox:
    """The alerts that others have posted to one service. Raises database errors.

    `expiry` are the seconds after which an alert is over that nobody repeats.
    """

    service: str
    expiry: float
    limit: int = ROWS_LIMIT

    def keep(
        self, alerts: Iterable[Posted], source: str, *, now: float, signed: str = ""
    ) -> Receipt:
        """Write down what is news; raises `ReplayError` and `FullError`.

        `signed` is the digest of a signature that must be new, "" for none.
        """
        # Of two reports on one alert in one request the later counts.
        latest = {alert.fingerprint: alert for alert in alerts}
        for _ in range(RETRIES):
            # Another worker was told of the same alert at the same moment, or the evaluator
            # took the rows in another order and the database broke the deadlock.
            with suppress(IntegrityError, OperationalError):
                return self._kept(latest, source, now, signed)
        return self._kept(latest, source, now, signed)

    def _kept(
        self, latest: dict[str, Posted], source: str, now: float, signed: str
    ) -> Receipt:
        with writing():
            _use_once(signed, now)
            known = self._known(latest, source)
            own = _own({alert.own_id for alert in latest.values()} - {""})
            news = [
                alert
                for alert in latest.values()
                if alert.own_id not in own
                and is_news(alert, _as_known(known.get(alert.fingerprint)))
            ]
            rows = [
                self._row(alert, known.get(alert.fingerprint), source, now)
                for alert in news
            ]
            new = [row for row in rows if row.fingerprint not in known]
            self._make_room(len(new))
            stored(ExternalAlert).bulk_create(new)
            old = [row for row in rows if row.fingerprint in known]
            stored(ExternalAlert).bulk_update(old, _FIELDS)
        return Receipt(len(news), len(latest) - len(news))

    def _known(self, latest: Iterable[str], source: str) -> dict[str, ExternalAlert]:
        rows = stored(ExternalAlert).filter(
            service=self.service, source=source, fingerprint__in=list(latest)
        )
        return {row.fingerprint: row for row in rows.select_for_update().order_by("pk")}

    def _row(
        self, alert: Posted, row: ExternalAlert | None, source: str, now: float
    ) -> ExternalAlert:
        if row is None:
            row = ExternalAlert(
                service=self.service,
                source=source,
                fingerprint=alert.fingerprint,
                is_firing=False,
            )
        if alert.is_firing:
            self._fire(row, alert, now)
        else:
            row.is_firing = False
            row.ends_at = now if alert.ends_at is None else alert.ends_at
        row.received_at = to_datetime(now)
        return row

    def _fire(self, row: ExternalAlert, alert: Posted, now: float) -> None:
        if not row.is_firing:
            # By name and labels people know it: they stay for as long as it fires.
            row.name, row.labels = alert.name, dict(alert.labels)
            row.is_noticed = False
        row.is_firing, row.is_settled = True, False
        row.severity, row.message = alert.severity, alert.message
        row.metrics, row.url = dict(alert.metrics), alert.url
        row.starts_at, row.ends_at = alert.starts_at, None
        row.expires_at = now + self.expiry if alert.ends_at is None else alert.ends_at

    def _make_room(self, wanted: int) -> None:
        if not wanted:
            return
        excess = stored(ExternalAlert).count() + wanted - self.limit
        if excess <= 0:
            return
        over = stored(ExternalAlert).filter(is_settled=True).order_by("received_at")
        oldest = list(over.values_list("pk", flat=True)[:excess])
        if len(oldest) < excess:
            raise FullError
        stored(ExternalAlert).filter(pk__in=oldest).delete()


def _use_once(signed: str, now: float) -> None:
    if not signed:
        return
    # One from the future may be used for twice the tolerance.
    too_old = to_datetime(now - 2 * TOLERANCE - 1)
    stored(ReceivedSignature).filter(received_at__lt=too_old).delete()
    _, is_new = stored(ReceivedSignature).get_or_create(
        digest=signed, defaults={"received_at": to_datetime(now)}
    )
    if not is_new:
        raise ReplayError


def _own(ids: set[str]) -> set[str]:
    """Return which of `ids` are alerts of our own, on their way back to us."""
    found = stored(Alert).filter(pk__in=ids).values_list("pk", flat=True)
    return {str(each) for each in found} if ids else set()


def _as_known(row: ExternalAlert | None) -> Known | None:
    if row is None:
        return None
    return Known(row.is_firing, row.starts_at, row.ends_at)
