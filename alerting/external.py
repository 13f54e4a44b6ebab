"""The alerts of other systems, as rules that the evaluator judges like its own.

Each is taken on by one evaluator, so that those of several hosts never tell it twice.
When that one is silent for long, another takes it over (`presence.py`).
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from django.db.models import Q

from alerting import history
from alerting.history import DATABASE_ERRORS, stored, writing
from alerting.labels import Labels, frozen
from alerting.models import ExternalAlert
from alerting.rows import TEXT_LIMIT
from alerting.rules import ExternalRule, NoData, Severity
from alerting.rules.external import OVER, SOURCE, Received, firing_value
from alerting.times import to_datetime, utc

if TYPE_CHECKING:
    from alerting.alert import AlertState
    from alerting.evaluator import Key

__all__ = ["Externals", "service_of"]

logger = logging.getLogger("prs_otel")

ROWS_AT_ONCE: Final = 10_000
CHANGED_AT_ONCE: Final = 500
NAME_LIMIT: Final = 100
KEPT: Final = 7 * 86_400.0  # seconds that one which is over is remembered
PRUNED_EVERY: Final = 600.0
_HOST: Final = "host.name"


def service_of(scope: Labels) -> str:
    """Return the service whose external alerts an evaluator of that scope judges."""
    return dict(scope).get("service.name", "")[:TEXT_LIMIT]


class Externals:
    """The external alerts of one evaluator. Used by its thread alone; never raises for a database."""

    def __init__(self, scope: Labels) -> None:
        self._scope = history.scope_name(scope)
        self._service = service_of(scope)
        # Another evaluator may go on with it one day: it belongs to no host.
        self._common = tuple(pair for pair in scope if pair[0] != _HOST)
        self._rows: Sequence[ExternalAlert] = ()
        self._keys: dict[ExternalAlert, Key] = {}
        self._is_current = False
        self._pruned_at = float("-inf")

    def refresh(self, *, is_database_used: bool = True, takes_on: bool = True) -> None:
        """Take on what is new, if wanted, and read what fires or has just ended."""
        self._is_current = False
        if not is_database_used:
            return
        try:
            self._rows = self._read(takes_on=takes_on)
        except DATABASE_ERRORS:
            # The ledger meets the same trouble, and tells.
            logger.debug("external alerts cannot be read; those last known are judged")
        else:
            self._is_current = True

    def rules(
        self, states: Mapping[Key, AlertState], taken: Collection[str], *, now: float
    ) -> list[ExternalRule]:
        """Return a rule for each name; none has one of the names that are `taken`.

        Among them are those of `states` that have vanished from the database.
        """
        alerts: defaultdict[str, dict[Labels, Received]] = defaultdict(dict)
        self._keys = {row: self._key(row, taken) for row in self._rows}
        for row, (name, labels) in self._keys.items():
            known = alerts[name]
            known[labels] = _worse(known.get(labels), _received(row, now))
        for rule, labels in states:
            if rule not in taken and SOURCE in dict(labels):
                _ = alerts[rule]
        policy = NoData(policy="ok" if self._is_current else "keep")
        return [ExternalRule(name, found, policy) for name, found in alerts.items()]

    def settle(self, states: Collection[Key], *, now: float) -> None:
        """Note that the rules last returned have been judged, and `states` are kept of it."""
        values = {row: _value(row, now) for row in self._keys}
        fires = [
            row
            for row, value in values.items()
            # One too many of its name has to wait.
            if value and not row.is_noticed and self._keys[row] in states
        ]
        over = [r for r, value in values.items() if not value]
        for row in fires:
            row.is_noticed = True
        try:
            self._note(fires, over, now)
            self._prune(now)
        except DATABASE_ERRORS:
            logger.debug("external alerts cannot be written; they are judged again")

    def _read(self, *, takes_on: bool) -> Sequence[ExternalAlert]:
        ours = stored(ExternalAlert).filter(service=self._service, is_settled=False)
        mine = ours.filter(Q(scope=self._scope) | Q(scope=""))[:ROWS_AT_ONCE]
        rows = list(mine)
        if not takes_on or all(row.scope for row in rows):
            return rows
        with writing():
            ours.filter(scope="").update(scope=self._scope)
        # Some may be another's by now.
        return list(ours.filter(scope=self._scope)[:ROWS_AT_ONCE])

    def _key(self, row: ExternalAlert, taken: Collection[str]) -> Key:
        labels = {**row.labels, **dict(self._common), SOURCE: row.source}
        return _name(row, taken), frozen(labels)

    def _note(
        self, fires: list[ExternalAlert], over: list[ExternalAlert], now: float
    ) -> None:
        for part in _chunks(fires):
            stored(ExternalAlert).filter(pk__in=part).update(is_noticed=True)
        for part in _chunks(over):
            # Not those that fire again meanwhile.
            mine = stored(ExternalAlert).filter(pk__in=part)
            mine.filter(is_firing=False).update(is_settled=True)
            late = mine.filter(is_firing=True, expires_at__lte=now)
            late.update(is_firing=False, is_settled=True)

    def _prune(self, now: float) -> None:
        if 0 <= now - self._pruned_at < PRUNED_EVERY:
            return
        self._pruned_at = now
        over = stored(ExternalAlert).filter(is_settled=True)
        over.filter(received_at__lt=to_datetime(now - KEPT)).delete()


def _name(row: ExternalAlert, taken: Collection[str]) -> str:
    if row.name not in taken:
        return row.name
    named = f"{row.source}/{row.name}"[:NAME_LIMIT]
    return named if named not in taken else f"{row.source}/{row.fingerprint}"


def _received(row: ExternalAlert, now: float) -> Received:
    evidence: dict[str, Any] = {"source": row.source}
    if row.metrics:
        evidence["metrics"] = row.metrics
    if row.url:
        evidence["url"] = row.url
    if row.starts_at is not None:
        evidence["starts_at"] = utc(row.starts_at).isoformat()
    return Received(_value(row, now), row.message, evidence)


def _value(row: ExternalAlert, now: float) -> float | None:
    is_expired = row.expires_at <= now
    # What ended before anybody looked is told nevertheless, and then that it is over.
    if (row.is_firing and not is_expired) or not row.is_noticed:
        return firing_value(Severity(row.severity))
    return None if row.is_firing else OVER


def _worse(one: Received | None, other: Received) -> Received:
    if one is None:
        return other
    return max(one, other, key=lambda each: -1.0 if each.value is None else each.value)


def _chunks(rows: Sequence[ExternalAlert]) -> Iterator[list[int]]:
    for start in range(0, len(rows), CHANGED_AT_ONCE):
        yield [row.pk for row in rows[start : start + CHANGED_AT_ONCE]]
