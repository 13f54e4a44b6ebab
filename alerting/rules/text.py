"""The one-line form of a rule, and back.

    p95(http.server.request.duration{http.route="/deals/"}[5m]) > 2 for 1m
    http.server.request.error_rate[5m] by (http.route)
        > 0.1 warning, 0.2 critical min_count 20 recovery 0.05
    absent(db.client.operation.duration[10m]) critical

What a text says nothing about (the name, labels, annotations) stands beside it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from alerting.rules.duration import format_duration
from alerting.rules.rule import Aggregation, Rule
from alerting.rules.severity import Severity
from alerting.rules.threshold import OPERATORS, Steps
from alerting.rules.tokens import Cursor, TextError

__all__ = ["TextError", "format_rule", "parse_rule", "parse_text"]

SEVERITIES: Final = tuple(Severity)
_SIGNS: Final = tuple(OPERATORS)


def parse_rule(name: str, text: str, **more: Any) -> Rule:  # noqa: ANN401 - any field
    """Build the rule that `text` describes; `more` has the fields it cannot say.

    Raise `TextError`, which names the column, or `RuleError`, which names the field.
    """
    return Rule.load({"name": name, **parse_text(text), **more})


def parse_text(text: str) -> dict[str, Any]:
    """Return the fields that `text` sets, as a dictionary for `Rule.load`."""
    cursor = Cursor(text)
    data = dict(_selection(cursor))
    if cursor.take("by"):
        data["by"] = _names(cursor)
    is_absent = data.get("aggregation") == Aggregation.ABSENT
    # What is absent counts as 1, which is more than nothing, and may be compared otherwise.
    sign = cursor.maybe(_SIGNS) if is_absent else cursor.word(_SIGNS)
    if sign is None:
        data.update(_severity(cursor))
    else:
        data["operator"] = sign
        data["threshold"] = _steps(cursor)
    data.update(_clauses(cursor))
    return data


def _selection(cursor: Cursor) -> Iterator[tuple[str, Any]]:
    metric = cursor.name("a metric")
    is_call = cursor.take("(")
    if is_call:
        yield "aggregation", metric
        metric = cursor.name("a metric")
    yield "metric", metric
    if cursor.take("{"):
        yield "where", _matchers(cursor)
    if cursor.take("["):
        yield "window", cursor.duration()
        cursor.expect("]")
    if is_call:
        cursor.expect(")")


def _matchers(cursor: Cursor) -> dict[str, str]:
    where: dict[str, str] = {}
    while True:
        label = cursor.name("a label", known=where)
        cursor.expect("=")
        where[label] = cursor.string()
        if not cursor.take(","):
            break
    cursor.expect("}")
    return where


def _names(cursor: Cursor) -> list[str]:
    cursor.expect("(")
    names = [cursor.name("a label")]
    while cursor.take(","):
        names.append(cursor.name("a label"))
    cursor.expect(")")
    return names


def _severity(cursor: Cursor) -> dict[str, str]:
    word = cursor.maybe(SEVERITIES)
    return {"severity": word} if word else {}


def _steps(cursor: Cursor) -> float | dict[str, float]:
    number, severity = cursor.number(), cursor.maybe(SEVERITIES)
    if severity is None:
        return number
    steps: dict[str, float] = {severity: number}
    while cursor.take(","):
        number = cursor.number()
        steps[cursor.word(tuple(s for s in SEVERITIES if s not in steps))] = number
    return steps


def _clauses(cursor: Cursor) -> dict[str, Any]:
    readers = {
        "min_count": cursor.count,
        "for": cursor.duration,
        "keep_firing_for": cursor.duration,
        "recovery": lambda: _steps(cursor),
        "no_data": lambda: _no_data(cursor),
        "cooldown": cursor.duration,
    }
    data = {}
    while not cursor.is_done:
        # Each clause once: what has been read is no longer expected.
        clause = cursor.word(tuple(key for key in readers if key not in data))
        data[clause] = readers[clause]()
    return data


def _no_data(cursor: Cursor) -> dict[str, Any]:
    policy = cursor.word(("keep", "fire", "ok"))
    seconds = cursor.maybe_duration()
    return {"policy": policy} if seconds is None else {"policy": policy, "for": seconds}


def format_rule(rule: Rule) -> str:
    """Return `rule` in one line, which `parse_text` reads to the same thresholds.

    One longer than that takes (4096 characters, by its labels) is for people only.
    """
    parts = [_selected(rule)]
    if rule.by:
        parts.append(f"by ({', '.join(rule.by)})")
    if _is_plain_absence(rule):
        parts.append(rule.rungs[0].severity)
    else:
        parts.append(f"{rule.operator} {_written(rule.threshold, rule.severity)}")
    parts += _written_clauses(rule)
    return " ".join(parts)


def _is_plain_absence(rule: Rule) -> bool:
    is_default = rule.operator == ">" and [r.threshold for r in rule.rungs] == [0.0]
    return rule.aggregation is Aggregation.ABSENT and is_default


def _selected(rule: Rule) -> str:
    where = ",".join(f"{k}={_quoted(v)}" for k, v in sorted(rule.where.items()))
    selector = rule.metric + (f"{{{where}}}" if where else "")
    return f"{rule.aggregator}({selector}[{format_duration(rule.window)}])"


def _written(steps: Steps, severity: Severity | None) -> str:
    if not isinstance(steps, dict):
        return f"{_figure(steps)} {severity}" if severity else _figure(steps)
    ordered = sorted(steps, key=lambda step: step.rank)
    return ", ".join(f"{_figure(steps[step])} {step}" for step in ordered)


def _figure(number: float) -> str:
    """Return the shortest text that reads back as the same number."""
    return repr(number).removesuffix(".0")


def _written_clauses(rule: Rule) -> Iterator[str]:
    if rule.min_count:
        yield f"min_count {rule.min_count}"
    durations: Mapping[str, float | None] = {
        "for": rule.for_ or None,
        "keep_firing_for": rule.keep_firing_for or None,
        "cooldown": rule.cooldown,
    }
    for clause, seconds in durations.items():
        if seconds is not None:
            yield f"{clause} {format_duration(seconds)}"
    if rule.recovery is not None:
        yield f"recovery {_written(rule.recovery, None)}"
    if rule.no_data.policy != "keep" or rule.no_data.for_:
        yield f"no_data {rule.no_data.policy} {format_duration(rule.no_data.for_)}"


def _quoted(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)
