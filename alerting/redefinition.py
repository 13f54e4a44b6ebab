"""What becomes of the alerts of a rule that has been edited. Pure.

An alert goes on under the new definition as long as that has data for its labels. What the
new one cannot find again ends at once: label sets of another `by`. What it merely has not found
yet ends after one window without data, because measurements may be late after a restart.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from alerting.rules import Judged, NoData, Rule

if TYPE_CHECKING:
    from alerting.alert import AlertState, Sample
    from alerting.labels import Labels

__all__ = ["CHANGED", "Definition"]

CHANGED: Final = "the rule was changed and does not look at this any more"


class Definition:
    """A rule as it is now, beside alerts that may be of an earlier one of its name."""

    def __init__(self, rule: Judged, scope: Labels) -> None:
        self.measures = _measured(rule) if isinstance(rule, Rule) else ""
        """What is the same as long as a rule looks at the same; "" for code."""
        self._rule = rule
        self._severities = {rung.severity for rung in rule.rungs}
        by = rule.by if isinstance(rule, Rule) else ()
        self._names = _names(scope).union(by)

    def left_behind(
        self, known: Mapping[Labels, AlertState], samples: Mapping[Labels, Sample]
    ) -> list[Labels]:
        """Return the label sets in `known` that the rule, as it is now, cannot have."""
        return [
            labels
            for labels, state in known.items()
            if labels not in samples
            or (samples[labels].value is None and self._is_foreign(state))
        ]

    def no_data(self, state: AlertState) -> NoData | None:
        """Return how to treat missing data of an alert of an earlier one; None if it is not."""
        rule = self._rule
        if not isinstance(rule, Rule) or not self._is_earlier(state):
            return None
        if not rule.by and rule.no_data.policy != "keep":
            # Its one series is there from the beginning, whatever was before.
            return None
        return NoData(policy="ok", for_=rule.window)

    def _is_foreign(self, state: AlertState) -> bool:
        if not isinstance(self._rule, Rule) or state.measures == self.measures:
            return False
        return _names(state.labels) != self._names

    def _is_earlier(self, state: AlertState) -> bool:
        if state.severity is not None and state.severity not in self._severities:
            return True
        return state.measures not in {"", self.measures}


def _measured(rule: Rule) -> str:
    looks = [rule.metric, rule.aggregator, sorted(rule.where.items()), sorted(rule.by)]
    return hashlib.sha256(json.dumps(looks).encode()).hexdigest()[:16]


def _names(labels: Labels) -> set[str]:
    return {name for name, _ in labels}
