"""Make a notice of a transition: say in one sentence what happened."""

from __future__ import annotations

import json
import logging
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from alerting.alert import Kind, Transition
from alerting.labels import fingerprint, frozen
from alerting.notice import Notice, alert_id
from alerting.notifications.figures import figure, lasting
from alerting.notifications.telling import ALARMS
from alerting.rules import CodeRule, ExternalRule, Judged, Rule, Severity
from alerting.text import clean, cleaned

if TYPE_CHECKING:
    from alerting.labels import Labels
    from alerting.notice import Evidence
    from alerting.rules import Rung
    from alerting.source import MetricSource

__all__ = ["Circumstances", "compose", "gather_evidence", "worth_evidence"]

logger = logging.getLogger("prs_otel")

# Each search may read a whole window of measurements, and evaluation waits for all of them.
EVIDENCE_AT_ONCE: Final = 20
EVIDENCE_LIMIT: Final = 16_384  # bytes of JSON
MESSAGE_LIMIT: Final = 2_000
QUERY_LIMIT: Final = 1_000  # characters of each statement
# What every alert of an evaluator has says nothing about one of them.
_OF_ALL: Final = frozenset({"host.name", "service.name"})


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What a notice needs to know besides its transition.

    `rule` is None when it has been removed; `episode` is the number of an alert that
    begins with this transition; `flat` are the metrics a code rule's message may name.
    """

    rule: Judged | None
    episode: int
    flat: Mapping[str, float]
    evidence: Evidence


def compose(transition: Transition, around: Circumstances) -> Notice:
    """Return the notice of a transition of an alert that has fired."""
    state, rule = transition.state, around.rule
    print_ = fingerprint(state.rule, state.labels)
    severity = state.severity or Severity.WARNING
    structured = rule if isinstance(rule, Rule) else None
    rung = _rung(structured, severity)
    return Notice(
        alert_id=state.alert_id or alert_id(print_, around.episode),
        fingerprint=print_,
        episode=around.episode,
        sequence=state.sequence,
        kind=transition.kind,
        state=state.state,
        name=state.rule,
        severity=severity,
        previous_severity=transition.before.severity,
        labels=state.labels,
        at=transition.at,
        started_at=transition.at if state.started_at is None else state.started_at,
        fired_at=transition.at if state.fired_at is None else state.fired_at,
        message=clean(_message(transition, around, rung)[:MESSAGE_LIMIT]),
        metric=structured.metric if structured else "",
        aggregation=structured.aggregator if structured else "",
        operator=rung.operator if rung else "",
        threshold=rung.threshold if rung else None,
        value=state.value if structured else None,
        window=structured.window if structured else None,
        cooldown=rule.cooldown if rule else None,
        reason=transition.reason,
        rule_labels=frozen(rule.labels) if rule else (),
        annotations=dict(rule.annotations) if rule else {},
        runbook_url=structured.runbook_url if structured else None,
        evidence=around.evidence,
        measures=state.measures,
    )


def worth_evidence(steps: Sequence[Transition]) -> set[tuple[str, Labels]]:
    """Return which alerts, of all that alarm at once, are worth a search for evidence.

    The first of each rule come before the second of any, and the worse before the milder:
    a storm of one rule takes nothing away from the others.
    """
    nth: Counter[str] = Counter()
    order: list[tuple[int, int, tuple[str, Labels]]] = []
    for step in sorted(steps, key=_mildness):
        if step.kind in ALARMS:
            key = (step.state.rule, step.state.labels)
            order.append((nth[step.state.rule], _mildness(step), key))
            nth[step.state.rule] += 1
    return {key for *_, key in sorted(order)[:EVIDENCE_AT_ONCE]}


def _mildness(step: Transition) -> int:
    return -step.state.severity.rank if step.state.severity else 1


def gather_evidence(
    source: MetricSource,
    rule: Judged | None,
    transition: Transition,
    *,
    looked_at: Mapping[str, float] | None = None,
    is_searched: bool = True,
) -> Evidence:
    """Return what stands behind an alarm; an alarm without evidence is better than none.

    Of a condition in code that is what it has `looked_at`. To search the measurements may be
    left out: that takes time.
    """
    if transition.kind not in ALARMS:
        return {}
    if isinstance(rule, ExternalRule):
        received = rule.alerts.get(transition.state.labels)
        return dict(received.evidence) if received else {}
    if isinstance(rule, CodeRule):
        # JSON, and so the database, knows no other numbers.
        found = {k: v for k, v in (looked_at or {}).items() if math.isfinite(v)}
        return {"metrics": found} if found else {}
    if isinstance(rule, Rule) and is_searched:
        return _searched(source, rule, transition)
    return {}


def _searched(source: MetricSource, rule: Rule, transition: Transition) -> Evidence:
    series = {k: v for k, v in transition.state.labels if k in rule.by}
    try:
        evidence = source.evidence(
            rule.metric,
            where={**rule.where, **series},
            window=rule.window,
            now=transition.at,
        )
        text = json.dumps(_shortened(evidence))
    except Exception:
        logger.warning("no evidence for the alert %s", rule.name, exc_info=True)
        return {}
    if len(text) > EVIDENCE_LIMIT:
        return {}
    document: Evidence = cleaned(json.loads(text))
    return document


def _shortened(evidence: Mapping[str, Any]) -> dict[str, Any]:
    """Return evidence whose statements leave room for everything else."""
    contributors = [
        {**each, "query": f"{each['query'][:QUERY_LIMIT]}…"}
        if len(each.get("query") or "") > QUERY_LIMIT
        else each
        for each in evidence.get("contributors") or ()
    ]
    return {**evidence, "contributors": contributors} if contributors else {**evidence}


def _rung(rule: Rule | None, severity: Severity) -> Rung | None:
    rungs = rule.rungs if rule else ()
    return next((rung for rung in rungs if rung.severity is severity), None)


def _message(transition: Transition, around: Circumstances, rung: Rung | None) -> str:
    rule, state = around.rule, transition.state
    what = _what(rule, around, state.labels)
    if transition.kind is Kind.RESOLVED:
        over = f"over{_after(transition)}{_why(transition)}"
        return f"{what}: {over}{_now(rule, transition)}"
    if not isinstance(rule, Rule) or rung is None:
        return what
    if transition.reason:
        return f"{what}: {transition.reason}{_where(transition)}"
    value = _figure(state.value, rule)
    limit = f"{rung.operator} {_figure(rung.threshold, rule)}"
    return f"{what}: {value} {limit}{_where(transition)}"


def _figure(value: float | None, rule: Rule) -> str:
    return figure(value, rule.metric, rule.aggregator)


def _what(rule: Judged | None, around: Circumstances, labels: Labels) -> str:
    if isinstance(rule, ExternalRule):
        return rule.message(labels)
    if isinstance(rule, CodeRule) and rule.message is not None:
        return rule.message.render(around.flat)
    summary = rule.annotations.get("summary") if rule else None
    if summary:
        return summary
    if isinstance(rule, Rule):
        return f"{rule.aggregator} of {rule.metric}"
    return f"The condition of {rule.name}" if rule else "The alert"


def _where(transition: Transition) -> str:
    labels = [f"{k}={v}" for k, v in transition.state.labels if k not in _OF_ALL]
    return f" ({', '.join(labels)})" if labels else ""


def _after(transition: Transition) -> str:
    fired_at = transition.state.fired_at
    return "" if fired_at is None else f" after {lasting(transition.at - fired_at)}"


def _now(rule: Judged | None, transition: Transition) -> str:
    if not isinstance(rule, Rule) or transition.reason:
        return _where(transition)
    return f", now {_figure(transition.state.value, rule)}{_where(transition)}"


def _why(transition: Transition) -> str:
    return f" ({transition.reason})" if transition.reason else ""
