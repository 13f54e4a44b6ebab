"""Why a rule fires or does not, step by step, from what its last evaluation has recorded. Pure.

Each step either lets the alert go on to the next one or says what holds it up. What comes after
a step that holds it up is not told, but for what would keep the alert from being told.
"""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from alerting.notifications.figures import clock, figure, lasting

if TYPE_CHECKING:
    from alerting.status import NearestSeries, RuleStatus, Status

__all__ = ["Known", "Reason", "Step", "reasons", "verdict"]

Step: TypeAlias = Literal[
    "rule", "evaluator", "health", "data", "value", "count", "duration", "muted"
]


@dataclass(frozen=True, slots=True)
class Reason:
    """One step on the way to a message: whether it lets an alert pass, and why."""

    step: Step
    passes: bool
    text: str


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a rule here.

    `origin` is None where there is no such rule, `problem` why a stored one cannot be read,
    `names` those of all rules; `has_alerts` tells of alerts by its name, `is_firing` of open
    ones, `mute` what keeps its alerts from being told just now.
    """

    origin: str | None
    names: Collection[str] = ()
    problem: str = ""
    is_removed: bool = False
    has_alerts: bool = False
    mute: str = ""
    is_firing: bool = False


def reasons(name: str, known: Known, status: Status, *, now: float) -> list[Reason]:
    """Return the steps up to the first that holds the rule up, and what mutes it."""
    found: list[Reason] = []
    for reason in _steps(name, known, status, now):
        found.append(reason)
        if not reason.passes:
            break
    if known.mute and found[0].passes:
        found.append(Reason("muted", passes=False, text=known.mute))
    return found


def _steps(name: str, known: Known, status: Status, now: float) -> Iterator[Reason]:
    yield _exists(name, known)
    yield _evaluates(status)
    rule = next((each for each in status.rules if each.name == name), None)
    if rule is None:
        yield _unheard_of()
    else:
        yield from _of_rule(rule, now, is_firing=known.is_firing)


def _of_rule(rule: RuleStatus, now: float, *, is_firing: bool) -> Iterator[Reason]:
    yield _healthy(rule)
    yield _measured(rule, is_firing=is_firing)
    if rule.nearest is not None:
        yield from _judged(rule.nearest, now)


def _unheard_of() -> Reason:
    text = (
        "the evaluator does not have the rule: it is registered in some processes "
        "only, or since the last evaluation"
    )
    return Reason("evaluator", passes=False, text=text)


def _exists(name: str, known: Known) -> Reason:
    if known.problem:
        text = f"the stored rule cannot be read: {known.problem}"
        return Reason("rule", passes=False, text=text)
    if known.origin is not None:
        return Reason("rule", passes=True, text=f"the rule is there: {known.origin}")
    if known.is_removed:
        text = "the rule was switched off by remove_alert_rule()"
    elif known.has_alerts:
        text = "the rule was removed, or its alerts come from another system"
    else:
        near = difflib.get_close_matches(name, known.names, n=1)
        advice = f"; did you mean {near[0]!r}?" if near else ""
        text = f"there is no rule {name!r:.120}{advice}"
    return Reason("rule", passes=False, text=text)


def _evaluates(status: Status) -> Reason:
    evaluator = status.evaluator
    if evaluator is None:
        text = "nobody evaluates: no worker has become leader, or monitoring is off"
        return Reason("evaluator", passes=False, text=text)
    at = clock(evaluator.last_evaluation_at.timestamp())
    who = f"{evaluator.host}, process {evaluator.pid}"
    if not evaluator.is_alive:
        text = f"the evaluator ({who}) has not evaluated since {at}"
        return Reason("evaluator", passes=False, text=text)
    return Reason("evaluator", passes=True, text=f"evaluated at {at} by {who}")


def _healthy(rule: RuleStatus) -> Reason:
    if rule.health == "error":
        text = f"the rule could not be evaluated: {rule.last_error}"
        return Reason("health", passes=False, text=text)
    return Reason("health", passes=True, text="the rule could be evaluated")


def _measured(rule: RuleStatus, *, is_firing: bool) -> Reason:
    if rule.health == "no_data":
        text = "there is no data: nothing was measured in the window"
        goes_on = "; what fires goes on, or fires because of that" if is_firing else ""
        return Reason("data", passes=is_firing, text=f"{text}{goes_on}")
    left = f", {rule.dropped} more are left aside" if rule.dropped else ""
    text = f"there is data of {rule.series} label set{'s' * (rule.series != 1)}{left}"
    return Reason("data", passes=True, text=text)


def _judged(found: NearestSeries, now: float) -> Iterator[Reason]:
    is_open = found.state in ("firing", "recovering")
    yield Reason("value", passes=found.is_breached or is_open, text=_value(found))
    if found.metric:
        passes = found.count >= found.min_count or is_open
        text = f"it rests on {found.count} measurements, min_count is {found.min_count}"
        yield Reason("count", passes=passes, text=text)
    yield Reason("duration", passes=found.state != "pending", text=_lasts(found, now))


def _value(found: NearestSeries) -> str:
    if not found.metric:
        return f"the condition said {'yes' if found.is_breached else 'no'}"
    value, limit = (
        figure(each, found.metric, found.aggregation)
        for each in (found.value, found.threshold)
    )
    word = "is" if found.is_breached else "is not"
    which = ", ".join(f"{name}={text}" for name, text in found.labels.items())
    series = f" ({which:.300})" if which else ""
    return f"the worst value {value} {word} {found.operator} {limit}{series}"


def _lasts(found: NearestSeries, now: float) -> str:
    if found.state != "pending":
        return "it is about to be over" if found.state == "recovering" else "it fires"
    since = now if found.pending_since is None else found.pending_since.timestamp()
    needed = lasting(found.for_seconds)
    return f"pending since {clock(since)}, {lasting(now - since)} of {needed}"


def verdict(found: Sequence[Reason]) -> str:
    """Return what holds the rule up first, "" when nothing does."""
    return next((each.text for each in found if not each.passes), "")
