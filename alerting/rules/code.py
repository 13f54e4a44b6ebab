"""A rule whose condition is a Python function, as the original system had them.

Conditions come from code and settings only. They receive the flat metrics
(`cpu_percent`, `api_error_rate` …) and may do what they like: whoever evaluates them
has to expect an exception, an absurd answer, or none at all.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from alerting.rules.duration import parse_duration
from alerting.rules.errors import RuleError
from alerting.rules.severity import Severity
from alerting.rules.template import Template
from alerting.rules.threshold import Rung

__all__ = ["CodeRule", "Condition"]

Condition = Callable[[Mapping[str, float]], object]

KEYS: Final = frozenset(
    {
        "name",
        "condition",
        "severity",
        "message_template",
        "cooldown_minutes",
        "for",
        "keep_firing_for",
        "labels",
        "annotations",
    }
)
NAME_LIMIT: Final = 100


@dataclass(frozen=True, slots=True)
class CodeRule:
    """One rule in code. Durations are seconds."""

    name: str
    condition: Condition
    severity: Severity = Severity.WARNING
    message: Template | None = None
    cooldown: float | None = None
    for_: float = 0.0
    keep_firing_for: float = 0.0
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def load(cls, data: Mapping[str, Any]) -> CodeRule:
        """Build a rule from a dictionary of the original form."""
        name = data.get("name")
        problems = []
        if unknown := sorted(set(map(str, data)) - KEYS):
            problems.append(f"{', '.join(unknown)} is no field; remove it")
        values: dict[str, Any] = {}
        for key, (attribute, read) in _READERS.items():
            try:
                if key in data:
                    values[attribute] = read(data[key])
            except (TypeError, ValueError) as error:
                problems.append(f"{key} cannot be {data[key]!r} ({error})")
        problems += [
            f"{key} is missing" for key in ("name", "condition") if key not in data
        ]
        if problems:
            raise RuleError(name, tuple(problems))
        return cls(**values)

    @property
    def rungs(self) -> tuple[Rung, ...]:
        """A condition that holds counts as 1, one that does not as 0."""
        return (Rung(self.severity, ">", 0.0, 0.0),)

    def holds(self, metrics: Mapping[str, float]) -> bool:
        """Ask the condition; raise `TypeError` when its answer is none."""
        answer = self.condition(metrics)
        if isinstance(answer, bool):
            return answer
        # `a and b > 3` answers with a number; a text or None is a mistake.
        if isinstance(answer, int | float) and math.isfinite(answer):
            return bool(answer)
        raise TypeError(f"the condition must answer True or False, not {answer!r:.80}")


def _name(value: object) -> str:
    if not isinstance(value, str) or not value.isprintable() or not value.strip():
        raise ValueError("write a short name, such as 'deal_backlog'")
    if len(value) > NAME_LIMIT:
        raise ValueError(f"a name has up to {NAME_LIMIT} characters")
    return value.strip()


def _condition(value: object) -> Condition:
    if not callable(value):
        raise TypeError("write a function that takes the metrics")
    return value


def _template(value: object) -> Template:
    if not isinstance(value, str):
        raise TypeError("write a text, such as 'CPU at {cpu_percent:.1f} %'")
    return Template(value)


def _minutes(value: object) -> float:
    if isinstance(value, str):
        raise TypeError("write a number of minutes")
    return parse_duration(parse_duration(value) * 60)


def _texts(value: object) -> dict[str, str]:
    if not isinstance(value, Mapping):
        raise TypeError('write texts by name, such as {"team": "payments"}')
    return {str(key): str(text) for key, text in value.items()}


_READERS: Final[Mapping[str, tuple[str, Callable[[Any], object]]]] = {
    "name": ("name", _name),
    "condition": ("condition", _condition),
    "severity": ("severity", Severity),
    "message_template": ("message", _template),
    "cooldown_minutes": ("cooldown", _minutes),
    "for": ("for_", parse_duration),
    "keep_firing_for": ("keep_firing_for", parse_duration),
    "labels": ("labels", _texts),
    "annotations": ("annotations", _texts),
}
