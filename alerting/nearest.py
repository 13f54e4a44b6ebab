"""Which of a rule's series is nearest to an alert: what says why there is none. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from alerting.alert import State

if TYPE_CHECKING:
    from alerting.alert import AlertState, Sample
    from alerting.labels import Labels
    from alerting.rules.threshold import Rung

__all__ = ["Nearest", "nearest"]

# Which way is worse; of the operators that are absent a value is beyond or not.
_SIGNS: Final = {">": 1.0, ">=": 1.0, "<": -1.0, "<=": -1.0}


@dataclass(frozen=True, slots=True)
class Nearest:
    """One series at one evaluation; `pending_since` is set while it waits to fire."""

    labels: Labels
    value: float
    count: int
    state: State = State.INACTIVE
    pending_since: float | None = None


def nearest(
    samples: Mapping[Labels, Sample],
    mildest: Rung,
    known: Callable[[Labels], AlertState | None],
) -> Nearest | None:
    """Return the series whose value is the worst; None where nothing was measured.

    `known` tells how far a series has got.
    """
    found = _worst(samples, mildest)
    if found is None or found[1].value is None:
        return None
    labels, value, count = found[0], found[1].value, found[1].count
    state = known(labels)
    if state is None:
        return Nearest(labels, value, count)
    return Nearest(labels, value, count, state.state, _pending_since(state))


def _worst(
    samples: Mapping[Labels, Sample], mildest: Rung
) -> tuple[Labels, Sample] | None:
    sign = _SIGNS.get(mildest.operator, 0.0)
    found, worst = None, float("-inf")
    # Every series of every rule comes by here: no call for each of them.
    for entry in samples.items():
        value = entry[1].value
        if value is None:
            continue
        badness = value * sign if sign else float(mildest.is_breached(value))
        if badness > worst or found is None:
            found, worst = entry, badness
    return found


def _pending_since(state: AlertState) -> float | None:
    if state.state is not State.PENDING:
        return None
    began = [
        each.active_since for each in state.progress if each.active_since is not None
    ]
    return min(began, default=None)
