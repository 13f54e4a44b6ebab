"""When a value is beyond a threshold, and when it has come back.

A rule has one rung per severity. With a recovery threshold a rung has hysteresis: it
is breached beyond `threshold` and, once firing, stays so until the value is back at
or inside `recovery`.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, Literal

from alerting.rules.severity import Severity

__all__ = ["OPERATORS", "Operator", "Rung", "Steps", "rungs"]

Operator = Literal[">", ">=", "<", "<=", "==", "!="]
Steps = float | dict[Severity, float]

OPERATORS: Final[Mapping[Operator, Callable[[float, float], bool]]] = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
    "==": operator.eq,
    "!=": operator.ne,
}
# Which way is worse; the operators that are absent have no direction.
_DIRECTION: Final = {">": 1, ">=": 1, "<": -1, "<=": -1}


@dataclass(frozen=True, slots=True)
class Rung:
    """One severity of a rule and the values at which it begins and ends."""

    severity: Severity
    operator: Operator
    threshold: float
    recovery: float

    def is_breached(self, value: float) -> bool:
        """Tell whether `value` is beyond the threshold."""
        return OPERATORS[self.operator](value, self.threshold)

    def is_recovered(self, value: float) -> bool:
        """Tell whether a firing alert may end at `value`."""
        return not OPERATORS[self.operator](value, self.recovery)


def rungs(
    sign: Operator, threshold: Steps, *, severity: Severity, recovery: Steps | None
) -> tuple[Rung, ...]:
    """Return the rungs of a rule, the mildest first.

    Raise `ValueError` when the steps contradict one another.
    """
    steps = threshold if isinstance(threshold, dict) else {severity: threshold}
    ordered = sorted(steps, key=lambda step: step.rank)
    back = _recoveries(recovery, ordered)
    ladder = tuple(
        Rung(step, sign, steps[step], back.get(step, steps[step])) for step in ordered
    )
    _refuse_contradictions(sign, ladder, has_recovery=recovery is not None)
    return ladder


def _recoveries(
    recovery: Steps | None, ordered: list[Severity]
) -> dict[Severity, float]:
    if not ordered:
        raise ValueError('a ladder needs a step, such as {"warning": 0.8}')
    if recovery is None:
        return {}
    if recovery == {}:
        raise ValueError(
            'recovery needs a step, such as {"warning": 0.7}; or remove it'
        )
    if not isinstance(recovery, dict):
        # The alert as a whole ends where its mildest severity does.
        return {ordered[0]: recovery}
    if unknown := set(recovery) - set(ordered):
        raise ValueError(
            f"recovery names {', '.join(sorted(unknown))}, which threshold has not"
        )
    return recovery


def _refuse_contradictions(
    sign: Operator, ladder: tuple[Rung, ...], *, has_recovery: bool
) -> None:
    direction = _DIRECTION.get(sign)
    if direction is None:
        if len(ladder) > 1 or has_recovery:
            raise ValueError(f"a ladder or recovery needs > or <, not {sign}")
        return
    for rung in ladder:
        if (rung.threshold - rung.recovery) * direction < 0:
            raise ValueError(
                f"recovery {rung.recovery:g} is beyond the threshold "
                f"{rung.threshold:g} that it should undo"
            )
    for mild, bad in pairwise(ladder):
        _refuse_disorder(mild, bad, direction)


def _refuse_disorder(mild: Rung, bad: Rung, direction: int) -> None:
    if (bad.threshold - mild.threshold) * direction <= 0:
        raise ValueError(
            f"{bad.severity} ({bad.threshold:g}) is not beyond "
            f"{mild.severity} ({mild.threshold:g}) for {mild.operator}"
        )
    if (bad.recovery - mild.recovery) * direction < 0:
        raise ValueError(
            f"{bad.severity} would recover at {bad.recovery:g}, "
            f"after {mild.severity} at {mild.recovery:g}"
        )
