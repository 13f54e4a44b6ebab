"""What an exported rule consists of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

__all__ = ["ExportedRule", "Expression", "Expressions", "Fidelity", "PromAlert"]


class Fidelity(StrEnum):
    """How true a rule is to itself in Prometheus."""

    EXACT = "exact"
    APPROXIMATE = "approximate"
    NOT_EXPORTABLE = "not exportable"


class Expression(Protocol):
    """A measured value in PromQL, as whoever knows the metrics says it."""

    @property
    def value(self) -> str:
        """The value itself."""
        ...

    @property
    def count(self) -> str:
        """The number of measurements it rests on, empty where none are counted."""
        ...

    @property
    def by(self) -> Sequence[str]:
        """The labels that tell its series apart."""
        ...

    @property
    def differences(self) -> Sequence[str]:
        """What is not quite the same."""
        ...

    @property
    def absence(self) -> str:
        """What is true when nothing was measured."""
        ...


class Expressions(Protocol):
    """Asks for the value of a rule in PromQL; raises `LookupError` for what is not exported."""

    def __call__(
        self,
        metric: str,
        *,
        aggregation: str,
        where: Mapping[str, str],
        by: Sequence[str],
        window: float,
    ) -> Expression:
        """Return the value of the last `window` seconds."""
        ...


@dataclass(frozen=True, slots=True)
class PromAlert:
    """One alerting rule. Durations are seconds."""

    expr: str
    severity: str
    for_: float
    keep_firing_for: float


@dataclass(frozen=True, slots=True)
class ExportedRule:
    """One of our rules: what is recorded, what alerts, and what became of it.

    `records` are expressions by the name they are recorded under.
    """

    name: str
    fidelity: Fidelity
    reasons: Sequence[str] = ()
    records: Mapping[str, str] = field(default_factory=dict)
    alerts: Sequence[PromAlert] = ()
    by: Sequence[str] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
