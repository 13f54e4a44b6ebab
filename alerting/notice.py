"""One transition of an alert, complete and plain: what history keeps and channels tell.

A notice survives JSON unchanged, so it can wait in the database or in the journal and be
sent by another process than the one that made it.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, cast

from pydantic import TypeAdapter

from alerting.alert import AlertState, Kind, Progress, State
from alerting.labels import Labels  # noqa: TC001 - pydantic evaluates it
from alerting.rules import Severity

__all__ = ["Evidence", "Notice", "alert_id"]

_ALERTS: Final = uuid.UUID("9f2c7a54-6d0e-4c19-9a3b-0c8f6e1d2b47")

Evidence = dict[str, Any]


def alert_id(fingerprint: str, episode: int) -> str:
    """Return the id of an episode: the same for everyone who counts the same one."""
    return str(uuid.uuid5(_ALERTS, f"{fingerprint}:{episode}"))


@dataclass(frozen=True, slots=True)
class Notice:
    """What happened to an alert at `at`, with everything there is to say about it.

    `episode` counts the times this alert has fired; only the first notice of an episode
    knows it. `aggregation` is one word, such as "p95", and `measures` tells what the rule looked
    at; older notices have neither.
    """

    alert_id: str
    fingerprint: str
    episode: int
    sequence: int
    kind: Kind
    state: State
    name: str
    severity: Severity
    labels: Labels
    at: float
    started_at: float
    fired_at: float
    message: str
    previous_severity: Severity | None = None
    metric: str = ""
    aggregation: str = ""
    operator: str = ""
    threshold: float | None = None
    value: float | None = None
    window: float | None = None
    cooldown: float | None = None
    reason: str = ""
    rule_labels: Labels = ()
    annotations: Mapping[str, str] = field(default_factory=dict)
    runbook_url: str | None = None
    evidence: Evidence = field(default_factory=dict)
    measures: str = ""

    @property
    def key(self) -> str:
        """What makes this transition unique."""
        return f"{self.alert_id}:{self.sequence}"

    @property
    def all_labels(self) -> dict[str, str]:
        """The alert's own labels and those its rule adds."""
        return {**dict(self.rule_labels), **dict(self.labels)}

    def to_json(self) -> dict[str, Any]:
        """Return the notice as JSON knows it."""
        return cast("dict[str, Any]", _ADAPTER.dump_python(self, mode="json"))

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Notice:
        """Build the notice that `to_json` returned; raise `ValueError` otherwise."""
        return _ADAPTER.validate_python(data)

    def to_state(self) -> AlertState:
        """Return the alert's state after this transition, as far as a notice knows it.

        How long a severity had been waited for is lost; what fires goes on firing.
        """
        since = self.at if self.state is State.RECOVERING else None
        return AlertState(
            rule=self.name,
            labels=self.labels,
            state=self.state,
            severity=self.severity,
            progress=tuple(
                Progress(severity, self.started_at, is_firing=True, clear_since=since)
                for severity in Severity
                if severity.rank <= self.severity.rank
            ),
            value=self.value,
            at=self.at,
            started_at=self.started_at,
            fired_at=self.fired_at,
            sequence=self.sequence,
            alert_id=self.alert_id,
            measures=self.measures,
        )


_ADAPTER: Final = TypeAdapter(Notice)
