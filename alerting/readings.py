"""What the rules of one evaluation have to judge: a sample for each label set."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from alerting.alert import AlertState, Sample
from alerting.labels import frozen
from alerting.rules import Aggregation, CodeRule, ExternalRule, Judged, Rule

if TYPE_CHECKING:
    from alerting.labels import Labels
    from alerting.source import MetricSource, Point

__all__ = ["Ask", "Readings", "Setting"]

LOOKED_AT_LIMIT: Final = 10

Ask = Callable[["CodeRule", Mapping[str, float]], bool]


@dataclass(frozen=True, slots=True)
class Setting:
    """The circumstances of an evaluation.

    `scope` are labels that every alert of this evaluator carries; `max_gap` is the
    longest silence, in seconds, between two evaluations that counts as continuous;
    `ask` calls a condition, within whatever time it is given.
    """

    max_gap: float
    scope: Labels = ()
    ask: Ask = CodeRule.holds


class LookedAt(dict[str, float]):
    """Metrics that know which of them have been read."""

    def __init__(self, metrics: Mapping[str, float]) -> None:
        super().__init__(metrics)
        self._names: set[str] = set()

    def __getitem__(self, name: str) -> float:
        """Return a metric; raise `KeyError` where there is none."""
        self._names.add(name)
        return super().__getitem__(name)

    def get(self, name: str, default: Any = None) -> Any:  # noqa: ANN401 - as `dict` has it
        """Return a metric, `default` where there is none."""
        self._names.add(name)
        return super().get(name, default)

    def seen(self) -> dict[str, float]:
        """Return what has been read, a few of them if it was all."""
        names = sorted(self._names & self.keys())[:LOOKED_AT_LIMIT]
        return {name: super(LookedAt, self).__getitem__(name) for name in names}


@dataclass
class Readings:
    """The figures of `source` at `now`; the flat ones are read once, if a condition asks."""

    source: MetricSource
    now: float
    setting: Setting
    flat_metrics: Mapping[str, float] | None = field(default=None, init=False)
    looked_at: dict[str, dict[str, float]] = field(default_factory=dict, init=False)
    """What each condition has read of them, by the rule's name."""

    def samples(
        self, rule: Judged, known: Mapping[Labels, AlertState]
    ) -> dict[Labels, Sample]:
        """Return a sample of every label set, also of those `known` that have no data.

        Raises whatever a condition or the source raises.
        """
        scope = self.setting.scope
        if isinstance(rule, ExternalRule):
            heard = {labels: Sample(each.value) for labels, each in rule.alerts.items()}
            return {**dict.fromkeys(known, Sample(None)), **heard}
        if isinstance(rule, CodeRule):
            metrics = LookedAt(self._flat())
            holds = self.setting.ask(rule, metrics)
            self.looked_at[rule.name] = metrics.seen()
            return {scope: Sample(float(holds), 1)}
        if rule.aggregation is Aggregation.ABSENT:
            seen = sum(point.count for point in self._points(rule, "count"))
            return {scope: Sample(float(not seen), rule.min_count)}
        found = {
            frozen({**dict(scope), **point.labels}): _sample(point)
            for point in self._points(rule, rule.aggregator)
        }
        # A series seen before, or the only one there is, has no data if it is not here.
        expected = known if rule.by else (*known, scope)
        return {**dict.fromkeys(expected, Sample(None)), **found}

    def _flat(self) -> Mapping[str, float]:
        if self.flat_metrics is None:
            self.flat_metrics = self.source.flat(now=self.now)
        return self.flat_metrics

    def _points(self, rule: Rule, aggregation: str) -> Sequence[Point]:
        return self.source.query(
            rule.metric,
            aggregation=aggregation,
            where=rule.where,
            by=rule.by,
            window=rule.window,
            now=self.now,
        )


def _sample(point: Point) -> Sample:
    # 0/0 is no value: neither good nor bad.
    return Sample(point.value if math.isfinite(point.value) else None, point.count)
