"""Exported rules as the files that Prometheus, Mimir and Alertmanager read. Pure.

Texts are written as JSON has them, which is YAML too, so that nothing in them is taken for YAML or
for a template.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from typing import TYPE_CHECKING, Final

from alerting.rules import Severity

if TYPE_CHECKING:
    from alerting.promrules.exported import ExportedRule, PromAlert

__all__ = ["inhibit_rules", "rule_file"]

NAMESPACE: Final = "prs-otel"
_LABEL: Final = re.compile(r"[^A-Za-z0-9_]")


def rule_file(
    rules: Sequence[ExportedRule], *, interval: float, form: str = "prometheus"
) -> str:
    """Return a rule file, evaluated every `interval` seconds; its head reports on each rule."""
    lines = [*_report(rules)]
    if form == "mimir":
        lines.append(f"namespace: {_quoted(NAMESPACE)}")
    exported = [rule for rule in rules if rule.alerts]
    lines += [f"groups:{'' if exported else ' []'}"]
    if exported:
        lines += [
            f"  - name: {_quoted(NAMESPACE)}",
            f"    interval: {_duration(interval)}",
            "    rules:",
        ]
    for rule in exported:
        lines += _rule(rule)
    return "\n".join(lines) + "\n"


def inhibit_rules(rules: Sequence[ExportedRule]) -> str:
    """Return Alertmanager's inhibition of the milder severities of each rule by its worse ones."""
    lines = []
    for rule in rules:
        severities = sorted({alert.severity for alert in rule.alerts}, key=_rank)
        for mild, bad in combinations(severities, 2):
            name = _matcher("alertname", rule.name)
            lines += [
                f"  - source_matchers: [{name}, {_matcher('severity', bad)}]",
                f"    target_matchers: [{name}, {_matcher('severity', mild)}]",
                f"    equal: {json.dumps(list(rule.by))}",
            ]
    return "\n".join([f"inhibit_rules:{'' if lines else ' []'}", *lines]) + "\n"


def _report(rules: Sequence[ExportedRule]) -> Iterator[str]:
    for rule in rules:
        yield f"# {_plain(rule.name)}: {rule.fidelity}"
        for reason in rule.reasons:
            yield f"#   - {_plain(reason)}"


def _rule(rule: ExportedRule) -> Iterator[str]:
    for name, expr in rule.records.items():
        yield f"      - record: {_quoted(name)}"
        yield from _expr(expr)
    for alert in rule.alerts:
        yield from _alert(rule, alert)


def _alert(rule: ExportedRule, alert: PromAlert) -> Iterator[str]:
    yield f"      - alert: {_quoted(rule.name)}"
    yield from _expr(alert.expr)
    if alert.for_:
        yield f"        for: {_duration(alert.for_)}"
    if alert.keep_firing_for:
        yield f"        keep_firing_for: {_duration(alert.keep_firing_for)}"
    yield from _mapping("labels", {**rule.labels, "severity": alert.severity})
    yield from _mapping("annotations", rule.annotations)


def _expr(expr: str) -> Iterator[str]:
    # A block of its own is read as it is, quotes included.
    yield "        expr: |-"
    yield f"          {expr}"


def _mapping(key: str, values: Mapping[str, str]) -> Iterator[str]:
    if values:
        yield f"        {key}:"
    for name, value in values.items():
        yield f"          {_LABEL.sub('_', name)}: {_quoted(_literal(value))}"


def _literal(text: str) -> str:
    """Return a text that Prometheus's templates leave as it is."""
    return text.replace("{{", '{{ "{{" }}')


def _duration(seconds: float) -> str:
    milliseconds = round(seconds * 1_000)
    whole, rest = divmod(milliseconds, 1_000)
    return f"{milliseconds}ms" if rest else f"{whole}s"


def _matcher(name: str, value: str) -> str:
    return _quoted(f"{name}={_quoted(value)}")


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _plain(text: str) -> str:
    return " ".join(text.split())


def _rank(severity: str) -> int:
    return Severity(severity).rank
