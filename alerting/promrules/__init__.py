"""Our rules as Prometheus has them: what can be said there exactly, about, or not at all."""

from __future__ import annotations

from alerting.promrules.exported import ExportedRule, Expression, Expressions, Fidelity
from alerting.promrules.files import inhibit_rules, rule_file
from alerting.promrules.translation import translated

__all__ = [
    "ExportedRule",
    "Expression",
    "Expressions",
    "Fidelity",
    "inhibit_rules",
    "rule_file",
    "translated",
]
