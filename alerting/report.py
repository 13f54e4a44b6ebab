"""Make the published status out of what the evaluator knows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from alerting.alert import State
from alerting.rules import AnyRule, CodeRule, Rule, format_rule
from alerting.status import (
    ChannelStatus,
    DeadMansSwitchStatus,
    EvaluatorStatus,
    HistoryStatus,
    NearestSeries,
    RuleStatus,
    Status,
)
from alerting.times import utc

if TYPE_CHECKING:
    from datetime import datetime

    from alerting.evaluator import Evaluation, RuleHealth
    from alerting.nearest import Nearest
    from alerting.runner import Parts

__all__ = ["STATUS", "Report", "report"]

STATUS: Final = "alerting/status"
"""The key under which the evaluator publishes its status."""


@dataclass(frozen=True, slots=True)
class Report:
    """The last evaluation: of which rules, with what result, in how many seconds."""

    rules: tuple[AnyRule, ...]
    evaluation: Evaluation
    seconds: float


def report(last: Report, parts: Parts) -> Status:
    """Return the status after an evaluation."""
    states = list(parts.ledger.states.values())
    firing = Counter(s.severity.value for s in states if s.is_open and s.severity)
    return Status(
        evaluator=EvaluatorStatus(
            host=parts.host,
            pid=parts.pid,
            last_evaluation_at=utc(last.evaluation.at),
            interval=parts.interval,
            evaluation_seconds=round(last.seconds, 6),
            revision=parts.revision,
        ),
        firing=dict(firing),
        pending=sum(state.state is State.PENDING for state in states),
        rules=[_rule(rule, last.evaluation.health[rule.name]) for rule in last.rules],
        channels=list(_channels(parts)),
        history=_history(parts),
        dead_mans_switch=_switch(parts),
    )


def _rule(rule: AnyRule, health: RuleHealth) -> RuleStatus:
    return RuleStatus(
        name=rule.name,
        text="" if isinstance(rule, CodeRule) else format_rule(rule),
        severities=[rung.severity.value for rung in rule.rungs],
        health=health.health,
        last_error=health.last_error,
        last_evaluation_at=utc(health.evaluated_at),
        series=health.series,
        dropped=health.dropped,
        nearest=None if health.nearest is None else _nearest(rule, health.nearest),
    )


def _nearest(rule: AnyRule, found: Nearest) -> NearestSeries:
    mildest = rule.rungs[0]
    structured = rule if isinstance(rule, Rule) else None
    return NearestSeries(
        labels=dict(found.labels),
        value=found.value,
        count=found.count,
        state=found.state.value,
        is_breached=mildest.is_breached(found.value),
        operator=mildest.operator,
        threshold=mildest.threshold,
        metric=structured.metric if structured else "",
        aggregation=structured.aggregator if structured else "",
        min_count=structured.min_count if structured else 0,
        for_seconds=rule.for_,
        pending_since=_when(found.pending_since),
    )


def _channels(parts: Parts) -> Iterator[ChannelStatus]:
    for name, health in parts.sender.health().items():
        yield ChannelStatus(
            name=name,
            health=health.health,
            last_error=health.last_error,
            last_success_at=_when(health.last_success_at),
            failing_since=_when(health.failing_since),
            dead=health.dead,
        )


def _switch(parts: Parts) -> DeadMansSwitchStatus | None:
    if parts.switch is None:
        return None
    pings = parts.switch.pings
    return DeadMansSwitchStatus(
        failures=pings.failures,
        last_error=pings.last_error,
        last_success_at=_when(pings.last_success_at),
    )


def _history(parts: Parts) -> HistoryStatus:
    ledger = parts.ledger.status()
    return HistoryStatus(
        is_database_used=ledger.is_database_used,
        last_error=ledger.last_error,
        journalled=ledger.journalled,
        dropped=ledger.dropped,
        journal_error=parts.journal.last_error,
    )


def _when(at: float | None) -> datetime | None:
    return None if at is None else utc(at)
