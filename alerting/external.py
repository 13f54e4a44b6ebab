"""The alerts of other systems, as rules that the evaluator judges like its own.

Each is taken on by one evaluator, so that those of several hosts never tell it twice.
When that one is silent for long, another takes it over (`presence.py`).
"""

from __future__ import annotations

import logging
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING, Any, Final

from alerting import evaluator, history
from alerting.external_rows import ExternalRows
from alerting.history import DATABASE_ERRORS
from alerting.labels import Labels, frozen
from alerting.rows import TEXT_LIMIT
from alerting.rules import ExternalRule, NoData, Severity
from alerting.rules.external import OVER, SOURCE, Received, firing_value
from alerting.times import utc

if TYPE_CHECKING:
    from alerting.alert import AlertState
    from alerting.evaluator import Key
    from alerting.models import ExternalAlert

__all__ = ["Externals", "service_of"]

logger = logging.getLogger("prs_otel")

NAME_LIMIT: Final = 100
# New ones that one evaluation takes on: the next, of a storm, follows at once.
INTAKE: Final = 500
KEPT: Final = 7 * 86_400.0  # seconds that one which is over is remembered
PRUNED_EVERY: Final = 600.0
_HOST: Final = "host.name"


def service_of(scope: Labels) -> str:
    """Return the service whose external alerts an evaluator of that scope judges."""
    return dict(scope).get("service.name", "")[:TEXT_LIMIT]


@dataclass(frozen=True, slots=True)
class _Judged:
    """A row as what it is judged: under which name and labels, and with which value."""

    row: ExternalAlert
    key: Key
    value: float | None


@dataclass(frozen=True, slots=True)
class _Judgement:
    """What was made of which rows, as long as nothing of that changes.

    `unsettled` is what there is still to note of; it is good for times up to `until`.
    """

    rows: Sequence[ExternalAlert]
    taken: frozenset[str]
    is_current: bool
    since: float
    until: float
    rules: Mapping[str, ExternalRule]
    unsettled: Sequence[_Judged]
    left: int

    def is_good(
        self, rows: Sequence[ExternalAlert], taken: frozenset[str], *, now: float
    ) -> bool:
        """Tell whether the same would be made of `rows` again; `is_current` aside."""
        is_same = self.rows is rows and self.taken == taken
        return is_same and self.since <= now < self.until


class Externals:
    """The external alerts of one evaluator. Used by its thread alone; never raises for a database."""

    def __init__(self, scope: Labels) -> None:
        self._table = ExternalRows(history.scope_name(scope), service_of(scope))
        # Another evaluator may go on with it one day: it belongs to no host.
        self._common = tuple(pair for pair in scope if pair[0] != _HOST)
        self._rows: Sequence[ExternalAlert] = ()
        self._judgement: _Judgement | None = None
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
        names, last = frozenset(taken), self._judgement
        is_good = last is not None and last.is_good(self._rows, names, now=now)
        if last is None or not is_good or last.is_current is not self._is_current:
            last = self._judgement = self._judged(states, names, now)
        gone = {
            rule
            for rule, labels in states
            if rule not in last.rules and rule not in names and SOURCE in dict(labels)
        }
        policy = self._no_data()
        others = (ExternalRule(name, {}, policy) for name in sorted(gone))
        return [*last.rules.values(), *others]

    def settle(self, states: Collection[Key], *, now: float) -> bool:
        """Note that the rules last returned have been judged, and `states` are kept of it.

        Tell whether there are others that the next evaluation should take on at once.
        """
        last = self._judgement
        unsettled = last.unsettled if last else ()
        fires = [
            each.row
            for each in unsettled
            # One too many of its name has to wait.
            if each.value and not each.row.is_noticed and each.key in states
        ]
        over = [each.row for each in unsettled if not each.value]
        if fires or over:
            self._judgement = None
        try:
            self._note(fires, over, now)
            for row in fires:
                row.is_noticed = True
            self._prune(now)
        except DATABASE_ERRORS:
            logger.debug("external alerts cannot be written; they are judged again")
            return False
        return bool(fires and last and last.left)

    def _read(self, *, takes_on: bool) -> Sequence[ExternalAlert]:
        return self._table.read() if takes_on else self._table.peek()

    def _no_data(self) -> NoData:
        return NoData(policy="ok" if self._is_current else "keep")

    def _judged(
        self, states: Collection[Key], taken: frozenset[str], now: float
    ) -> _Judgement:
        judged = self._taken_on(states, taken, now)
        alerts: defaultdict[str, dict[Labels, Received]] = defaultdict(dict)
        for each in judged:
            name, labels = each.key
            known = alerts[name]
            known[labels] = _worse(known.get(labels), _received(each))
        ends = (row.expires_at for row in self._rows if row.expires_at > now)
        policy = self._no_data()
        return _Judgement(
            rows=self._rows,
            taken=taken,
            is_current=self._is_current,
            since=now,
            until=min(ends, default=inf),
            rules={n: ExternalRule(n, found, policy) for n, found in alerts.items()},
            unsettled=[e for e in judged if not (e.value and e.row.is_noticed)],
            left=len(self._rows) - len(judged),
        )

    def _taken_on(
        self, states: Collection[Key], taken: frozenset[str], now: float
    ) -> list[_Judged]:
        """Return what is judged: of those that are new only so many at a time."""
        judged: list[_Judged] = []
        names: Counter[str] = Counter()
        room = INTAKE
        for row in self._rows:
            key = self._key(row, taken)
            # One too many of its name waits for others of it, and takes nobody's place.
            is_counted = names[key[0]] < evaluator.SERIES_LIMIT
            if is_counted and not row.is_noticed and key not in states:
                if not room:
                    continue
                room -= 1
            names[key[0]] += 1
            judged.append(_Judged(row, key, _value(row, now)))
        return judged

    def _key(self, row: ExternalAlert, taken: Collection[str]) -> Key:
        labels = {**row.labels, **dict(self._common), SOURCE: row.source}
        return _name(row, taken), frozen(labels)

    def _note(
        self, fires: list[ExternalAlert], over: list[ExternalAlert], now: float
    ) -> None:
        self._table.note(fires, over, now=now)

    def _prune(self, now: float) -> None:
        if 0 <= now - self._pruned_at < PRUNED_EVERY:
            return
        self._pruned_at = now
        self._table.prune(before=now - KEPT)


def _name(row: ExternalAlert, taken: Collection[str]) -> str:
    if row.name not in taken:
        return row.name
    named = f"{row.source}/{row.name}"[:NAME_LIMIT]
    return named if named not in taken else f"{row.source}/{row.fingerprint}"


def _received(judged: _Judged) -> Received:
    row = judged.row
    evidence: dict[str, Any] = {"source": row.source}
    if row.metrics:
        evidence["metrics"] = row.metrics
    if row.url:
        evidence["url"] = row.url
    if row.starts_at is not None:
        evidence["starts_at"] = utc(row.starts_at).isoformat()
    return Received(judged.value, row.message, evidence)


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
