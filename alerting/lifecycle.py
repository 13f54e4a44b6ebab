"""The life of one alert: inactive → pending → firing → recovering → resolved.

`advance` is a pure function of a state, a sample and the time. One alert has one state
for all severities of its rule: each severity keeps its own time (`Progress`), as a
Prometheus rule of its own would, and the alert is as bad as the worst that fires. So
going from warning to critical is an escalation of one alert, not a second alert.

What never resolves an alert: missing data (unless the rule says so), an error, a
clock that goes backwards, an evaluation that comes late or twice.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from enum import Enum, auto
from typing import TYPE_CHECKING, Final

from alerting.alert import AlertState, Kind, Progress, State, Transition
from alerting.anchoring import LATE, reanchored

if TYPE_CHECKING:
    from alerting.alert import Sample, Terms
    from alerting.rules.threshold import Rung

__all__ = ["LATE", "advance", "withdraw"]


class _Verdict(Enum):
    BREACHED = auto()
    UNDECIDED = auto()
    CLEAR = auto()


def advance(
    state: AlertState, sample: Sample, *, now: float, terms: Terms
) -> tuple[AlertState, Transition | None]:
    """Return the state after `sample`, and the transition if there was one."""
    base = reanchored(state, now, terms.max_gap)
    if base is None:
        return state, None
    if sample.value is None:
        return _unseen(state, base, now, terms)
    is_proof = sample.count >= terms.min_count
    progress = tuple(
        _stepped(
            mine,
            _judged(rung, mine, sample.value, is_proof=is_proof),
            now=now,
            terms=terms,
        )
        for rung, mine in _paired(base, terms)
    )
    seen = replace(base, value=sample.value, no_data_since=None, missed_at=None)
    is_firing = any(mine.is_firing for mine in progress)
    return _moved(seen, progress, now, "" if is_firing else _lost(seen, terms))


def withdraw(state: AlertState, *, now: float, reason: str) -> Transition | None:
    """Resolve an open alert whose rule is gone; None when it was not open."""
    if not state.is_open:
        return None
    return _resolution(state, now, reason)


def _paired(state: AlertState, terms: Terms) -> Iterator[tuple[Rung, Progress]]:
    # By severity: the rule may have changed since the progress was written down.
    known = {mine.severity: mine for mine in state.progress}
    for rung in terms.rungs:
        yield rung, known.get(rung.severity, Progress(rung.severity))


def _lost(state: AlertState, terms: Terms) -> str:
    """Say that what still is too much fired with severities the rule has no more."""
    firing = {mine.severity for mine in state.progress if mine.is_firing}
    is_lost = firing.isdisjoint(rung.severity for rung in terms.rungs)
    value = 0.0 if state.value is None else state.value
    if firing and is_lost and any(rung.is_breached(value) for rung in terms.rungs):
        return f"the rule was changed and has no severity {state.severity} any more"
    return ""


def _judged(rung: Rung, mine: Progress, value: float, *, is_proof: bool) -> _Verdict:
    if mine.is_firing:
        if rung.is_recovered(value):
            return _Verdict.CLEAR
        # Too few measurements are no proof that it goes on, nor that it is over.
        return _Verdict.BREACHED if is_proof else _Verdict.UNDECIDED
    is_breach = is_proof and rung.is_breached(value)
    return _Verdict.BREACHED if is_breach else _Verdict.CLEAR


def _stepped(
    mine: Progress, verdict: _Verdict, *, now: float, terms: Terms
) -> Progress:
    if verdict is _Verdict.UNDECIDED:
        return mine
    if verdict is _Verdict.BREACHED:
        since = now if mine.active_since is None else mine.active_since
        is_firing = mine.is_firing or now - since >= terms.for_
        return Progress(mine.severity, since, is_firing)
    if not mine.is_firing:
        return Progress(mine.severity)
    since = now if mine.clear_since is None else mine.clear_since
    if now - since >= terms.keep_firing_for:
        return Progress(mine.severity)
    return replace(mine, clear_since=since)


def _unseen(
    state: AlertState, base: AlertState, now: float, terms: Terms
) -> tuple[AlertState, Transition | None]:
    """Apply the rule's policy for missing data."""
    since = now if base.no_data_since is None else min(base.no_data_since, now)
    if _is_kept(state, now - since, terms):
        # `at` stays: however long there is no data, it is a gap.
        return replace(state, no_data_since=since, missed_at=now), None
    if terms.no_data.policy == "fire":
        mildest, *others = (mine for _, mine in _paired(base, terms))
        began = now if mildest.active_since is None else mildest.active_since
        progress = (Progress(mildest.severity, began, is_firing=True), *others)
    else:
        progress = tuple(Progress(rung.severity) for rung in terms.rungs)
    missed = replace(base, no_data_since=since, missed_at=now)
    return _moved(missed, progress, now, "no data")


def _is_kept(state: AlertState, missing: float, terms: Terms) -> bool:
    """Tell whether an alert stays as it is after so many seconds without data."""
    if terms.no_data.policy != "keep":
        return missing < terms.no_data.for_
    # What merely waits must not wait for ever, to fire at the first bad value of next week.
    patience = max(terms.for_, terms.max_gap)
    return state.state is not State.PENDING or missing < patience


def _moved(
    base: AlertState, progress: tuple[Progress, ...], now: float, reason: str = ""
) -> tuple[AlertState, Transition | None]:
    firing = [mine for mine in progress if mine.is_firing]
    active = [mine for mine in progress if mine.active_since is not None]
    if base.is_open and not firing:
        transition = _resolution(base, now, reason)
        return transition.state, transition
    if not active:
        after = AlertState(base.rule, base.labels, at=now, measures=base.measures)
    else:
        after = _active(base, firing or active, now, is_firing=bool(firing))
        after = replace(after, progress=progress)
    kind = _kind(base, after)
    if kind is None:
        return after, None
    if after.is_open:
        after = replace(after, sequence=base.sequence + 1)
    return after, Transition(kind, now, base, after, reason)


def _active(
    base: AlertState, leading: list[Progress], now: float, *, is_firing: bool
) -> AlertState:
    if not is_firing:
        state = State.PENDING
    elif all(mine.clear_since is not None for mine in leading):
        state = State.RECOVERING
    else:
        state = State.FIRING
    fired_at = now if is_firing and base.fired_at is None else base.fired_at
    return replace(
        base,
        state=state,
        severity=leading[-1].severity,  # the rungs are ordered, the mildest first
        at=now,
        started_at=now if base.started_at is None else base.started_at,
        fired_at=fired_at,
    )


def _kind(before: AlertState, after: AlertState) -> Kind | None:
    if not before.is_open:
        return None if after.state is before.state else _BEGINNINGS[after.state]
    worse = _rank(after) - _rank(before)
    if worse:
        return Kind.ESCALATED if worse > 0 else Kind.DEESCALATED
    if after.state is before.state:
        return None
    return Kind.RECOVERING if after.state is State.RECOVERING else Kind.RELAPSED


_BEGINNINGS: Final = {
    State.INACTIVE: Kind.CLEARED,
    State.PENDING: Kind.PENDING,
    State.FIRING: Kind.FIRING,
}


def _rank(state: AlertState) -> int:
    return -1 if state.severity is None else state.severity.rank


def _resolution(state: AlertState, now: float, reason: str) -> Transition:
    resolved = replace(
        state,
        state=State.RESOLVED,
        progress=(),
        at=now,
        sequence=state.sequence + 1,
    )
    return Transition(Kind.RESOLVED, now, state, resolved, reason)
