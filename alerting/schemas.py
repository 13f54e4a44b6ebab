"""What the API answers, one class per response. Times are RFC 3339 in UTC."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from alerting.notifications.matchers import Matcher
from alerting.notifications.silence import Weekly
from alerting.reasoning import Step
from alerting.rules import Severity
from alerting.status import RuleStatus

__all__ = [
    "AlertItem",
    "CurrentAlerts",
    "EndedSilence",
    "Error",
    "ExplainedAlert",
    "ExplainedDelivery",
    "ExplainedReason",
    "ExplainedStep",
    "Explanation",
    "History",
    "InvalidParameter",
    "InvalidRequest",
    "RemovedRule",
    "RuleChangeItem",
    "RuleChanges",
    "RuleItem",
    "RuleList",
    "RuleTrial",
    "SilenceItem",
    "SilenceList",
    "Summary",
    "TrialResult",
]


class _Document(BaseModel):
    model_config = ConfigDict(frozen=True)


class AlertItem(_Document):
    """One alert. `severity` is the worst it has been, `value` what last alarmed."""

    id: UUID
    name: str
    severity: Severity
    state: str
    labels: dict[str, str]
    value: float | None
    threshold: float | None
    message: str
    evidence: dict[str, Any]
    started_at: datetime
    fired_at: datetime
    resolved_at: datetime | None
    acknowledged_at: datetime | None
    acknowledged_by: str | None
    acknowledgement: str | None


class CurrentAlerts(_Document):
    """The alerts that are open, the worst first."""

    items: list[AlertItem]
    count: int


class ExplainedDelivery(_Document):
    """What became of one step of an alert on one channel, and why."""

    channel: str
    state: str
    reason: str
    recipients: list[str]
    attempts: int
    next_attempt_at: datetime | None
    last_error: str
    settled_at: datetime | None


class ExplainedStep(_Document):
    """One step of an alert: what happened, and who was told of it."""

    time: datetime
    kind: str
    severity: Severity
    value: float | None
    message: str
    reason: str
    deliveries: list[ExplainedDelivery]


class ExplainedAlert(_Document):
    """An alert step by step, the first first."""

    alert: AlertItem
    steps: list[ExplainedStep]


class ExplainedReason(_Document):
    """One step from a figure to a message: whether it lets an alert pass, and why."""

    step: Step
    passes: bool
    text: str


class Explanation(_Document):
    """Why a rule did or did not notify: how it does, and its latest alerts step by step.

    `health` is null where the evaluator does not know the rule, or nobody evaluates. `reasons`
    end at the first step that holds the rule up, which is the `verdict`, "" for none; `muted`
    may follow it.
    """

    rule: str
    verdict: str = ""
    reasons: list[ExplainedReason] = []
    health: RuleStatus | None
    alerts: list[ExplainedAlert]


class History(_Document):
    """The alerts that were open at some time within the window, newest first."""

    items: list[AlertItem]
    count: int


class Summary(_Document):
    """How many alerts were open at some time within the window, by what they are."""

    hours: float
    start: datetime
    end: datetime
    count: int
    by_severity: dict[str, int]
    by_state: dict[str, int]
    by_rule: dict[str, int]


class RuleItem(_Document):
    """One rule in force: where it comes from, what it says, and how it does.

    `origin` is built-in, settings, code or stored. A condition in Python has neither `text`
    nor `definition`.
    """

    name: str
    origin: str
    text: str | None = None
    definition: dict[str, Any] | None = None
    is_condition: bool = False
    severities: list[Severity] = []
    health: str = "unknown"
    last_error: str = ""
    updated_at: datetime | None = None
    updated_by: str | None = None


class RuleList(_Document):
    """The rules in force, by name."""

    items: list[RuleItem]
    count: int


class RemovedRule(_Document):
    """A rule that is no longer stored; `replaced_by` is the origin of the one in its place."""

    name: str
    replaced_by: str | None


class RuleChangeItem(_Document):
    """One change of a stored rule; `old` or `new` is null where there was or is none."""

    name: str
    old: dict[str, Any] | None
    new: dict[str, Any] | None
    user: str
    time: datetime


class RuleChanges(_Document):
    """Who changed which rule, the latest first."""

    items: list[RuleChangeItem]
    count: int


class TrialResult(_Document):
    """One label set: its value, and the severity the rule would give it, null for none."""

    labels: dict[str, str]
    value: float | None
    count: int
    severity: Severity | None
    threshold: float | None


class RuleTrial(_Document):
    """What a rule makes of the figures of now: the worst first, of `count` label sets.

    How long a value has to last is left aside. A rule watches no more than `watched`.
    """

    name: str
    text: str | None
    time: datetime
    health: str
    last_error: str
    would_fire: bool
    results: list[TrialResult]
    count: int
    watched: int


class SilenceItem(_Document):
    """A silence; `is_active` says whether it mutes at this moment."""

    id: UUID
    matchers: tuple[Matcher, ...]
    starts_at: datetime
    ends_at: datetime
    weekly: Weekly | None
    comment: str
    author: str
    is_active: bool


class SilenceList(_Document):
    """Silences, the one that ends first first."""

    items: list[SilenceItem]
    count: int


class EndedSilence(_Document):
    """The silence that has just been ended."""

    id: UUID


class Error(_Document):
    """Why there is no answer."""

    detail: str


class InvalidParameter(_Document):
    """One parameter that was refused: where it stood (`loc`) and what it should be."""

    type: str
    loc: list[str | int]
    msg: str


class InvalidRequest(_Document):
    """Which parameters were refused."""

    detail: list[InvalidParameter]
