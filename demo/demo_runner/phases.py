"""What the visitors do when: calm, then slow queries, then errors, then calm again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

CYCLE_SECONDS = 90.0
# Below this the rules' windows do not fit between the phases.
SHORTEST_SECONDS = 60.0

CALM_MIX: Mapping[str, int] = {
    "home": 10,
    "deals": 15,
    "deal": 20,
    "receive_payment": 8,
    "paid_receipt": 8,
    "payments": 6,
    "totals": 20,
    "recent_duplicates": 3,
    "missing_deal": 3,
    "unknown_page": 3,
}


@dataclass(frozen=True, slots=True)
class Phase:
    """A part of the cycle, and how often visitors do what in it."""

    name: str
    share: float
    mix: Mapping[str, int]


CALM = Phase("calm", 0.17, CALM_MIX)
SLOW = Phase("slow queries", 0.22, {**CALM_MIX, "archive_duplicates": 6})
ERRORS = Phase("errors", 0.22, {**CALM_MIX, "unpaid_receipt": 12})
CALM_AGAIN = Phase("calm again", 0.39, CALM_MIX)
CYCLE = (CALM, SLOW, ERRORS, CALM_AGAIN)


def cycle_length(duration: float | None) -> float:
    """Divide a run into whole cycles of about the usual length."""
    if duration is None:
        return CYCLE_SECONDS
    return duration / max(1, round(duration / CYCLE_SECONDS))


def phase_at(elapsed: float, duration: float | None) -> Phase:
    """Name the phase after so many seconds; calm after the end of the run."""
    if duration is not None and elapsed >= duration:
        return CALM_AGAIN
    length = cycle_length(duration)
    position = elapsed % length / length
    for phase in CYCLE:
        if position < phase.share:
            return phase
        position -= phase.share
    return CALM_AGAIN
