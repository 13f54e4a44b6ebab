"""Alerts that another system judges: here they only fire, and are over.

All that carry one name are one rule, whose label sets come from elsewhere. An alert has
the value of its severity while it fires, so that a worse one of the same labels escalates.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Final

from alerting.rules.rule import NoData
from alerting.rules.severity import Severity
from alerting.rules.threshold import Rung

if TYPE_CHECKING:
    from alerting.labels import Labels

__all__ = ["OVER", "SOURCE", "ExternalRule", "Received", "firing_value"]

SOURCE: Final = "alert.source"
"""The label that every external alert carries and no alert of our own does."""
OVER: Final = 0.0
_OVER_WHEN_GONE: Final = NoData(policy="ok")


@dataclass(frozen=True, slots=True)
class Received:
    """One external alert: its `value` is None once nobody has repeated it for too long."""

    value: float | None
    message: str = ""
    evidence: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ExternalRule:
    """The external alerts of one name; `no_data` is for those that have vanished."""

    rungs: ClassVar[tuple[Rung, ...]]
    cooldown: ClassVar[float | None] = None
    for_: ClassVar[float] = 0.0
    keep_firing_for: ClassVar[float] = 0.0
    labels: ClassVar[Mapping[str, str]] = {}
    annotations: ClassVar[Mapping[str, str]] = {}

    name: str
    alerts: Mapping[Labels, Received]
    no_data: NoData = _OVER_WHEN_GONE

    def message(self, labels: Labels) -> str:
        """Return what the sender has said of the alert, word for word."""
        found = self.alerts.get(labels)
        return found.message if found and found.message else f"The alert {self.name}"


def firing_value(severity: Severity) -> float:
    """Return the value of an alert that fires with that severity."""
    return float(severity.rank + 1)


ExternalRule.rungs = tuple(
    Rung(each, ">=", firing_value(each), firing_value(each)) for each in Severity
)
