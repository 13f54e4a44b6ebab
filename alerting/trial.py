"""Try a rule out: what it would make of the figures of this moment, without any consequence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from alerting.evaluator import SERIES_LIMIT
from alerting.readings import Readings, Setting
from alerting.rules import AnyRule, CodeRule, Rule, Severity, format_rule
from alerting.schemas import RuleTrial, TrialResult
from alerting.text import described
from alerting.times import utc

if TYPE_CHECKING:
    from alerting.alert import Sample
    from alerting.labels import Labels
    from alerting.source import MetricSource

__all__ = ["SHOWN", "trial"]

SHOWN: Final = 100  # label sets


def trial(
    rule: AnyRule, source: MetricSource, *, now: float, setting: Setting
) -> RuleTrial:
    """Return each label set's value and how severe the rule would find it. Never raises."""
    try:
        found = Readings(source, now, setting).samples(rule, {})
    except Exception as error:  # noqa: BLE001 - conditions and sources are foreign code
        return _document(rule, now, {}, described(error))
    return _document(rule, now, found, "")


def _document(
    rule: AnyRule, now: float, found: Mapping[Labels, Sample], error: str
) -> RuleTrial:
    results = [_result(rule, labels, sample) for labels, sample in found.items()]
    worst = sorted(
        results, key=lambda each: -each.severity.rank if each.severity else 0
    )
    has_data = any(each.value is not None for each in results)
    return RuleTrial(
        name=rule.name,
        text=None if isinstance(rule, CodeRule) else format_rule(rule),
        time=utc(now),
        health="error" if error else "ok" if has_data else "no_data",
        last_error=error,
        would_fire=any(each.severity for each in results),
        results=worst[:SHOWN],
        count=len(results),
        watched=min(len(results), SERIES_LIMIT),
    )


def _result(rule: AnyRule, labels: Labels, sample: Sample) -> TrialResult:
    severity, threshold = _judged(rule, sample)
    return TrialResult(
        labels=dict(labels),
        value=sample.value,
        count=sample.count,
        severity=severity,
        threshold=threshold,
    )


def _judged(rule: AnyRule, sample: Sample) -> tuple[Severity | None, float | None]:
    """Return the worst severity the value would have, leaving aside how long it has to last."""
    is_proof = not isinstance(rule, Rule) or sample.count >= rule.min_count
    if sample.value is None or not is_proof:
        return None, None
    breached = [rung for rung in rule.rungs if rung.is_breached(sample.value)]
    return (breached[-1].severity, breached[-1].threshold) if breached else (None, None)
