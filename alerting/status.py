"""What alerting says of itself: published by the evaluator, shown by any process."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, ConfigDict

__all__ = [
    "ChannelStatus",
    "DeadMansSwitchStatus",
    "EvaluatorStatus",
    "HistoryStatus",
    "NearestSeries",
    "RuleStatus",
    "Status",
]


class _Document(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class EvaluatorStatus(_Document):
    """Which process evaluates; `is_alive` unless its last evaluation is too old.

    `revision` is that of the changed settings it works by.
    """

    host: str
    pid: int
    last_evaluation_at: datetime
    interval: float
    evaluation_seconds: float
    is_alive: bool = True
    revision: int = 0


class NearestSeries(_Document):
    """The series of a rule whose value was the worst, and what it would take to fire.

    `threshold` is the mildest; `is_breached` says whether the value is beyond it. Seconds are
    those that it has to last.
    """

    labels: dict[str, str]
    value: float
    count: int
    state: str
    is_breached: bool
    operator: str
    threshold: float
    metric: str = ""
    aggregation: str = ""
    min_count: int = 0
    for_seconds: float = 0.0
    pending_since: datetime | None = None


class RuleStatus(_Document):
    """How one rule did at its last evaluation; `text` is null where it is not shown.

    `nearest` is null where nothing was measured, or is not shown.
    """

    name: str
    text: str | None
    severities: list[str]
    health: str
    last_error: str
    last_evaluation_at: datetime
    series: int
    dropped: int
    nearest: NearestSeries | None = None


class ChannelStatus(_Document):
    """How one channel did lately; a skipped one says why in `last_error`."""

    name: str
    health: str
    last_error: str
    last_success_at: datetime | None
    failing_since: datetime | None
    dead: int


class DeadMansSwitchStatus(_Document):
    """Whether the address that waits for us to fall silent is reached."""

    failures: int
    last_error: str
    last_success_at: datetime | None


class HistoryStatus(_Document):
    """Whether the database takes the history, and what waits for it."""

    is_database_used: bool
    last_error: str
    journalled: int
    dropped: int
    journal_error: str


class Status(_Document):
    """The whole of it; `evaluator` is null as long as nobody has evaluated.

    `firing` counts open alerts by severity. `unevaluated_rules` are those that the
    answering process knows and the evaluator does not.
    """

    evaluator: EvaluatorStatus | None = None
    firing: dict[str, int] = {}
    pending: int = 0
    rules: list[RuleStatus] = []
    unevaluated_rules: list[str] = []
    channels: list[ChannelStatus] = []
    history: HistoryStatus | None = None
    dead_mans_switch: DeadMansSwitchStatus | None = None

    def without_texts(self) -> Status:
        """Return the status without what its rules say."""
        hidden = {"text": None, "nearest": None}
        rules = [rule.model_copy(update=hidden) for rule in self.rules]
        return self.model_copy(update={"rules": rules})
