"""One of our rules in Prometheus's terms. Pure.

The value is recorded once, and each severity is an alert of the same name on it. A severity with
a recovery threshold of its own looks at its own `ALERTS` series, which is how Prometheus can tell
that it fires already.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Final

from alerting.promrules.exported import ExportedRule, Fidelity, PromAlert
from alerting.rules import Rule

if TYPE_CHECKING:
    from alerting.promrules.exported import Expression, Expressions
    from alerting.rules import AnyRule, Rung

__all__ = ["translated"]

PREFIX: Final = "prs_alerting"
IN_CODE: Final = (
    "its condition is Python code; export a rule on a metric that the code records"
)
KEPT: Final = (
    "without data an alert stays as it is here, and ends in Prometheus after "
    "keep_firing_for"
)
WAITS: Final = (
    "without data an alert ends here after the no-data time, in Prometheus after "
    "keep_firing_for"
)


def translated(
    rules: Iterable[AnyRule], expressions: Expressions
) -> list[ExportedRule]:
    """Return every rule, exported or with the reason why it is not."""
    names = _Names()
    return [_translated(rule, expressions, names) for rule in rules]


class _Names:
    """Gives each rule a name to record under that no other has."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def of(self, rule: str) -> str:
        word = re.sub(r"[^A-Za-z0-9_]+", "_", rule).strip("_").lower() or "rule"
        name, number = word, 1
        while name in self._taken:
            number += 1
            name = f"{word}_{number}"
        self._taken.add(name)
        return f"{PREFIX}:{name}"


def _translated(rule: AnyRule, expressions: Expressions, names: _Names) -> ExportedRule:
    if not isinstance(rule, Rule):
        return ExportedRule(rule.name, Fidelity.NOT_EXPORTABLE, (IN_CODE,))
    try:
        found = expressions(
            rule.metric,
            aggregation=_aggregation(rule),
            where=rule.where,
            by=rule.by,
            window=rule.window,
        )
    except LookupError as error:
        reason = str(error.args[0]) if error.args else str(error)
        return ExportedRule(rule.name, Fidelity.NOT_EXPORTABLE, (reason,))
    reasons = tuple(_reasons(rule, found))
    recorded = names.of(rule.name)
    return ExportedRule(
        name=rule.name,
        fidelity=Fidelity.APPROXIMATE if reasons else Fidelity.EXACT,
        reasons=reasons,
        records=_records(rule, found, recorded),
        alerts=tuple(_alerts(rule, found, recorded)),
        by=found.by,
        labels=rule.labels,
        annotations=_annotations(rule),
    )


def _aggregation(rule: Rule) -> str:
    # What is absent is the metric itself, whichever figure of it.
    return "avg" if _is_absent(rule) else rule.aggregator


def _is_absent(rule: Rule) -> bool:
    return rule.aggregator == "absent"


def _records(rule: Rule, found: Expression, recorded: str) -> dict[str, str]:
    if _is_absent(rule):
        return {}
    records = {f"{recorded}:value": found.value}
    if rule.min_count and found.count:
        records[f"{recorded}:count"] = found.count
    return records


def _alerts(rule: Rule, found: Expression, recorded: str) -> Iterator[PromAlert]:
    if _is_absent(rule):
        yield _alert(rule, found.absence, rule.rungs[0])
        return
    for rung in rule.rungs:
        yield _alert(rule, _condition(rule, rung, found, recorded), rung)
    if rule.no_data.policy == "fire":
        severity = rule.rungs[0].severity.value
        yield PromAlert(
            found.absence, severity, rule.no_data.for_, rule.keep_firing_for
        )


def _alert(rule: Rule, expr: str, rung: Rung) -> PromAlert:
    return PromAlert(expr, rung.severity.value, rule.for_, rule.keep_firing_for)


def _condition(rule: Rule, rung: Rung, found: Expression, recorded: str) -> str:
    value, on = f"{recorded}:value", f"on ({', '.join(found.by)})"
    breach = f"{value} {rung.operator} {rung.threshold:g}"
    has_proof = bool(rule.min_count and found.count)
    if has_proof:
        breach = f"{breach} and {on} {recorded}:count >= {rule.min_count}"
    if rung.recovery == rung.threshold and not has_proof:
        return breach
    firing = (
        f'ALERTS{{alertname="{_escaped(rule.name)}",alertstate="firing",'
        f'severity="{rung.severity.value}"}}'
    )
    stays = f"{value} {rung.operator} {rung.recovery:g} and {on} {firing}"
    return f"({breach}) or ({stays})"


def _reasons(rule: Rule, found: Expression) -> Iterator[str]:
    yield from found.differences
    if _is_absent(rule):
        return
    if rule.min_count and found.count:
        yield "the measurements are counted by increase(), which extrapolates"
    if rule.no_data.policy == "keep":
        yield KEPT
    elif rule.no_data.policy == "ok" and rule.no_data.for_ != rule.keep_firing_for:
        yield WAITS


def _annotations(rule: Rule) -> dict[str, str]:
    annotations = dict(rule.annotations)
    if rule.runbook_url:
        annotations["runbook_url"] = rule.runbook_url
    return annotations


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')
