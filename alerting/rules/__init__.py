"""Rules: what to measure and when that is too much.

Neither Django nor a metric source is known here: a rule is data, and `load_rule` makes
one from whatever people may write.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from alerting.rules.builtin import DEFAULT_THRESHOLDS, built_in_rules
from alerting.rules.code import CodeRule
from alerting.rules.external import ExternalRule
from alerting.rules.rule import Aggregation, NoData, Rule, RuleError
from alerting.rules.severity import Severity
from alerting.rules.text import TextError, format_rule, parse_rule, parse_text
from alerting.rules.threshold import Rung

__all__ = [
    "DEFAULT_THRESHOLDS",
    "Aggregation",
    "AnyRule",
    "CodeRule",
    "ExternalRule",
    "Judged",
    "NoData",
    "Rule",
    "RuleError",
    "Rung",
    "Severity",
    "TextError",
    "built_in_rules",
    "format_rule",
    "load_rule",
    "load_structured",
    "parse_rule",
    "parse_text",
]

AnyRule = Rule | CodeRule
Judged = Rule | CodeRule | ExternalRule
"""Whatever an evaluation has to judge."""

_CODE: Final = frozenset({"condition", "message_template"})


def load_rule(entry: object) -> AnyRule:
    """Build a rule from a rule, a dictionary of fields, or an original dictionary.

    A dictionary with `condition` is the original form; with `expr` it has the text form
    beside the other fields. Raise `RuleError` for what is none of them.
    """
    if isinstance(entry, Rule | CodeRule):
        return entry
    if not isinstance(entry, Mapping):
        raise RuleError(None, (f"{entry!r:.80} is no rule; write a dictionary",))
    return CodeRule.load(entry) if "condition" in entry else load_structured(entry)


def load_structured(entry: Mapping[str, Any]) -> Rule:
    """Build a rule from fields that are data alone, from wherever they come.

    Raise `RuleError`, for fields of the original form too: a condition or a template is
    code, and code comes from the project only.
    """
    if code := sorted(_CODE & entry.keys()):
        what = ", ".join(code)
        advice = "in code and settings; write metric and threshold"
        raise RuleError(entry.get("name"), (f"{what} works only {advice}",))
    if "expr" not in entry:
        return Rule.load(entry)
    try:
        fields = parse_text(str(entry["expr"]))
    except TextError as error:
        raise RuleError(entry.get("name"), (f"expr: {error}",)) from None
    return Rule.load({**fields, **{k: v for k, v in entry.items() if k != "expr"}})
