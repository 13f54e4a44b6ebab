"""What is wrong with alerting, judged from the status that the evaluator publishes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from alerting.rules import Severity

if TYPE_CHECKING:
    from collections.abc import Mapping

    from alerting.status import ChannelStatus, HistoryStatus, RuleStatus, Status

__all__ = ["Problem", "diagnose"]

# A server that has just started takes a while to elect its evaluator.
STARTING: Final = 60.0  # seconds
_GRAVE: Final = frozenset({Severity.ERROR, Severity.CRITICAL})


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that is not as it should be."""

    level: Literal["warning", "critical"]
    message: str


def diagnose(
    status: Status, *, now: float, workers_since: float | None
) -> Iterator[Problem]:
    """Yield what is wrong; `workers_since` is when the oldest live worker started."""
    if workers_since is not None:
        yield from _evaluator(status, now - workers_since)
    yield from _rules(status.rules)
    if status.evaluator is not None and status.unevaluated_rules:
        names = ", ".join(status.unevaluated_rules)
        yield Problem("warning", f"The evaluator does not have these rules: {names}")
    yield from _channels(status.channels)
    if status.history is not None:
        yield from _history(status.history)
    yield from _firing(status.firing)


def _evaluator(status: Status, served: float) -> Iterator[Problem]:
    evaluator = status.evaluator
    if evaluator is None:
        level: Literal["warning", "critical"]
        level = "critical" if served >= STARTING else "warning"
        yield Problem(level, "Nobody evaluates the rules: no alert will be told")
    elif not evaluator.is_alive:
        who = f"The evaluator ({evaluator.host}, process {evaluator.pid})"
        last = f"{evaluator.last_evaluation_at:%Y-%m-%d %H:%M:%S} UTC"
        yield Problem("critical", f"{who} has not evaluated since {last}")


def _rules(rules: Iterable[RuleStatus]) -> Iterator[Problem]:
    for rule in rules:
        if rule.health == "error":
            message = f"The rule {rule.name} cannot be evaluated: {rule.last_error}"
            yield Problem("warning", message)


def _channels(channels: Iterable[ChannelStatus]) -> Iterator[Problem]:
    for channel in channels:
        if channel.health in {"error", "skipped"}:
            message = f"Alerts are not told by {channel.name}: {channel.last_error}"
            yield Problem("warning", message)


def _history(history: HistoryStatus) -> Iterator[Problem]:
    if not history.is_database_used:
        message = f"The database does not take the alerts: {history.last_error}"
        yield Problem("warning", message)
    if history.journalled:
        message = f"Not yet in the database, but journalled: {history.journalled:,}"
        yield Problem("warning", message)
    if history.dropped:
        message = f"Lost, as the journal was full: {history.dropped:,}"
        yield Problem("warning", message)
    if history.journal_error:
        message = f"The journal of alerting cannot be used: {history.journal_error}"
        yield Problem("warning", message)


def _firing(firing: Mapping[str, int]) -> Iterator[Problem]:
    grave = {name: count for name, count in firing.items() if name in _GRAVE}
    others = {name: count for name, count in firing.items() if name not in _GRAVE}
    if any(grave.values()):
        yield Problem("critical", _counted(grave))
    if any(others.values()):
        yield Problem("warning", _counted(others))


def _counted(firing: Mapping[str, int]) -> str:
    counts = [f"{count} {severity}" for severity, count in firing.items() if count]
    return f"Alerts firing: {', '.join(counts)}"
