"""A metric source whose answers a test writes down."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Reading:
    """What satisfies `alerting.source.Point`."""

    value: float
    count: int = 100
    labels: Mapping[str, str] = field(default_factory=dict)


Answer = Sequence[Reading] | Exception


@dataclass
class FakeSource:
    """Answers by metric; an exception as answer is raised. Remembers what was asked."""

    answers: dict[str, Answer] = field(default_factory=dict)
    flat_metrics: Mapping[str, float] | Exception = field(default_factory=dict)
    behind: Mapping[str, Any] | Exception = field(default_factory=dict)
    asked: list[dict[str, Any]] = field(default_factory=list)
    flat_reads: int = 0
    hook: Callable[[], None] = lambda: None

    def query(
        self,
        metric: str,
        *,
        aggregation: str,
        where: Mapping[str, str],
        by: Sequence[str],
        window: float,
        now: float,
    ) -> Sequence[Reading]:
        self.hook()
        self.asked.append(
            {
                "metric": metric,
                "aggregation": aggregation,
                "where": dict(where),
                "by": tuple(by),
                "window": window,
                "now": now,
            }
        )
        answer = self.answers.get(metric, [])
        if isinstance(answer, Exception):
            raise answer
        return answer

    def evidence(
        self, metric: str, *, where: Mapping[str, str], window: float, now: float
    ) -> Mapping[str, Any]:
        if isinstance(self.behind, Exception):
            raise self.behind
        return {**self.behind, "asked": [metric, dict(where)]} if self.behind else {}

    def flat(self, *, now: float) -> Mapping[str, float]:
        self.flat_reads += 1
        if isinstance(self.flat_metrics, Exception):
            raise self.flat_metrics
        return self.flat_metrics

    def says(self, metric: str, *values: float, count: int = 100) -> None:
        """Answer with unlabelled values from now on; without values: no data."""
        self.answers[metric] = [Reading(value, count) for value in values]
