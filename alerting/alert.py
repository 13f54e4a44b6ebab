"""What an alert is between two evaluations, and what can happen to it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from alerting.labels import Labels  # noqa: TC001 - pydantic evaluates it
from alerting.rules.severity import Severity  # noqa: TC001 - as above

if TYPE_CHECKING:
    from alerting.rules.rule import NoData
    from alerting.rules.threshold import Rung

__all__ = [
    "OPEN",
    "AlertState",
    "Kind",
    "Progress",
    "Sample",
    "State",
    "Terms",
    "Transition",
]


class State(StrEnum):
    """Where an alert is in its life."""

    INACTIVE = "inactive"
    PENDING = "pending"
    FIRING = "firing"
    RECOVERING = "recovering"
    RESOLVED = "resolved"


OPEN: Final = frozenset({State.FIRING, State.RECOVERING})


class Kind(StrEnum):
    """What happened to an alert in one transition."""

    PENDING = "pending"
    CLEARED = "cleared"
    FIRING = "firing"
    ESCALATED = "escalated"
    DEESCALATED = "de-escalated"
    RECOVERING = "recovering"
    RELAPSED = "relapsed"
    REMINDER = "reminder"
    RESOLVED = "resolved"


@dataclass(frozen=True, slots=True)
class Sample:
    """What was measured: no `value` means that there is no data."""

    value: float | None
    count: int = 0


@dataclass(frozen=True, slots=True)
class Terms:
    """What a rule asks of time. Durations are seconds.

    `max_gap` is how much of an interval without evaluations may count as if it had
    been evaluated.
    """

    rungs: tuple[Rung, ...]
    no_data: NoData
    max_gap: float
    for_: float = 0.0
    keep_firing_for: float = 0.0
    min_count: int = 0


@dataclass(frozen=True, slots=True)
class Progress:
    """How far one severity has got: beyond since, firing, back inside since."""

    severity: Severity
    active_since: float | None = None
    is_firing: bool = False
    clear_since: float | None = None


@dataclass(frozen=True, slots=True)
class AlertState:
    """One alert between two evaluations.

    `at` is the last evaluation that had data, `missed_at` the last one since that had none.
    `sequence` counts the transitions of this
    episode since it fired; `alert_id` names the episode once it is recorded. `measures` tells
    what its rule looked at when there was data last.
    """

    rule: str
    labels: Labels
    state: State = State.INACTIVE
    severity: Severity | None = None
    progress: tuple[Progress, ...] = ()
    value: float | None = None
    at: float = 0.0
    started_at: float | None = None
    fired_at: float | None = None
    no_data_since: float | None = None
    sequence: int = 0
    alert_id: str = ""
    measures: str = ""
    missed_at: float | None = None

    @property
    def is_open(self) -> bool:
        """Tell whether the alert has fired and not been resolved."""
        return self.state in OPEN


@dataclass(frozen=True, slots=True)
class Transition:
    """One step in an alert's life; `state` is what it is afterwards."""

    kind: Kind
    at: float
    before: AlertState
    state: AlertState
    reason: str = ""
