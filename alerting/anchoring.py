"""Keep what an alert has waited for true, whatever the clock does between two evaluations.

Only time in which somebody evaluates counts: of a gap as much as the terms allow, and of a clock
that was set back nothing. An evaluation that comes late or twice is none.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from alerting.alert import AlertState, State

__all__ = ["LATE", "reanchored"]

# An evaluation that comes up to this much before the last one is an old one, delivered
# late: it is ignored. More than that, and the clock itself was set back.
LATE: Final = 60.0


def reanchored(state: AlertState, now: float, max_gap: float) -> AlertState | None:
    """Return `state` with its durations true at `now`; None to ignore this `now`."""
    last = next(
        moment
        for moment in (state.missed_at, state.no_data_since, state.at)
        if moment is not None
    )
    is_known = state.state is not State.INACTIVE or state.no_data_since is not None
    if is_known and now < last and (now >= last - LATE or 0 < state.at - now <= LATE):
        return None
    # Data may be missing for long: that it is was evaluated, what it would say was not.
    since = _plus(state.no_data_since, _unserved(now - last, max_gap))
    base = _shifted(state, _unserved(now - state.at, max_gap))
    return base if since == base.no_data_since else replace(base, no_data_since=since)


def _unserved(elapsed: float, max_gap: float) -> float:
    """Return how much of the time since an evaluation does not count."""
    # When the clock was set back, what has been served stays served.
    return elapsed if elapsed < 0 else max(0.0, elapsed - max_gap)


def _shifted(state: AlertState, seconds: float) -> AlertState:
    if not seconds:
        return state
    return replace(
        state,
        progress=tuple(
            replace(
                mine,
                active_since=_plus(mine.active_since, seconds),
                clear_since=_plus(mine.clear_since, seconds),
            )
            for mine in state.progress
        ),
    )


def _plus(moment: float | None, seconds: float) -> float | None:
    return None if moment is None else moment + seconds
