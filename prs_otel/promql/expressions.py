"""One question to the view, as PromQL. Pure.

What differs from what the view answers is said beside the expression, and whoever exports rules
passes it on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from prs_otel.promql.families import (
    GAUGES,
    HIT_RATE_LABELS,
    HITS,
    MISSES,
    Family,
    family_of,
    is_hit_rate,
)
from prs_otel.promql.names import label_name, quoted
from prs_otel.rollup.catalog import HOST_NAME, Metric, metric

EXTRAPOLATED: Final = "increase() extrapolates to the edges of the window, so that a count is no whole number"
INTERPOLATED: Final = (
    "histogram_quantile() interpolates within a bucket; the view is within 1.6 %"
)
LARGEST: Final = "the longest duration is known as the end of its bucket only"
_SHARES: Final = {"error_rate": "errors", "slow_rate": "slow"}


@dataclass(frozen=True, slots=True)
class Question:
    """Ask for ``metric`` over ``window`` seconds, as a rule does."""

    metric: str
    aggregation: str
    where: Mapping[str, str]
    by: Sequence[str]
    window: float


@dataclass(frozen=True, slots=True)
class Expression:
    """Hold the value in PromQL and how many observations it rests on.

    ``count`` is empty where nothing is counted; ``differences`` say what is not the same here.
    """

    value: str
    count: str
    by: Sequence[str]
    differences: Sequence[str] = field(default=())

    @property
    def absence(self) -> str:
        """Return what is true when nothing was observed."""
        if self.count:
            return f"(sum({self.count}) or vector(0)) == 0"
        return f"absent({self.value})"


def expression(question: Question) -> Expression:
    """Return the question in PromQL; raises ``LookupError`` for what is not exported."""
    derived = metric(question.metric)
    if derived is not None:
        return _derived(question, derived)
    if is_hit_rate(question.metric):
        return _hit_rate(question)
    return _gauge(question)


def _derived(question: Question, derived: Metric) -> Expression:
    family = family_of(derived.family, [*question.where, *question.by])
    asked = _Asked.of(question)
    count = asked.increase(family.count)
    value, *differences = _value(asked, family, derived, question.aggregation)
    return Expression(value, count, asked.by, differences)


def _value(
    asked: _Asked, family: Family, derived: Metric, aggregation: str
) -> list[str]:
    """Return the value, and after it what differs."""
    if derived.measure in _SHARES:
        part = getattr(family, _SHARES[derived.measure])
        if not part:
            raise LookupError(f"{derived.name} is not exported")
        if aggregation == "count":
            return [asked.increase(part), EXTRAPOLATED]
        if aggregation == "rate":
            return [asked.rate(part)]
        return [asked.share(part, family.count)]
    if aggregation == "count" or (
        derived.measure == "count" and aggregation in ("avg", "sum")
    ):
        return [asked.increase(family.count), EXTRAPOLATED]
    if aggregation == "rate" or (
        derived.measure == "rate" and aggregation in ("avg", "sum")
    ):
        return [asked.rate(family.count)]
    return _duration(asked, family, derived, aggregation)


def _duration(
    asked: _Asked, family: Family, derived: Metric, aggregation: str
) -> list[str]:
    if aggregation == "avg" and family.total:
        return [f"{asked.rate(family.total)} / {asked.rate(family.count)}"]
    if family.buckets and aggregation == "max":
        return [asked.quantile("1", family.buckets), LARGEST]
    if family.buckets and aggregation.startswith("p"):
        q = f"{float(aggregation[1:]) / 100:.6g}"
        return [asked.quantile(q, family.buckets), INTERPOLATED]
    raise LookupError(f"{derived.name} is not exported as {aggregation}")


def _hit_rate(question: Question) -> Expression:
    unknown = {*question.where, *question.by} - {*HIT_RATE_LABELS}
    if unknown:
        raise LookupError(
            f"{question.metric} has no label {', '.join(sorted(unknown))}"
        )
    asked = _Asked.of(question)
    count = f"({asked.increase(HITS)} + {asked.increase(MISSES)})"
    if question.aggregation == "count":
        return Expression(count, count, asked.by, [EXTRAPOLATED])
    hits, misses = asked.rate(HITS), asked.rate(MISSES)
    # A cache that has had everything, or nothing, has but one of the two series.
    both = f"({hits} + {misses} or {hits} or {misses})"
    share = f"({hits} or {misses} * 0) / {both}"
    return Expression(share, count, asked.by)


def _gauge(question: Question) -> Expression:
    name = GAUGES.get(question.metric)
    if name is None:
        raise LookupError(f"{question.metric} is not exported")
    asked = _Asked.of(question, by=(HOST_NAME,))
    over = {"avg": "avg", "max": "max", "last": "last", "absent": "last"}.get(
        question.aggregation
    )
    if over is None:
        raise LookupError(
            f"{question.metric} is not exported as {question.aggregation}"
        )
    # Who leads on a host may change, and its successor goes on under a name of its own.
    value = (
        f"max{asked.grouping} ({over}_over_time({name}{asked.selector}[{asked.range}]))"
    )
    return Expression(value, "", asked.by)


@dataclass(frozen=True, slots=True)
class _Asked:
    """The parts of a question that every expression is put together from."""

    selector: str
    by: Sequence[str]
    range: str

    @classmethod
    def of(cls, question: Question, *, by: Sequence[str] | None = None) -> _Asked:
        matchers = ",".join(
            f"{label_name(name)}={quoted(value)}"
            for name, value in sorted(question.where.items())
        )
        return cls(
            selector=f"{{{matchers}}}" if matchers else "",
            by=tuple(map(label_name, question.by if by is None else by)),
            range=f"{max(1, round(question.window))}s",
        )

    @property
    def grouping(self) -> str:
        return f" by ({', '.join(self.by)})" if self.by else ""

    def rate(self, name: str) -> str:
        return f"sum{self.grouping} (rate({name}{self.selector}[{self.range}]))"

    def increase(self, name: str) -> str:
        return f"sum{self.grouping} (increase({name}{self.selector}[{self.range}]))"

    def share(self, part: str, whole: str) -> str:
        # Where nothing has ever failed there is no series of failures.
        numerator = f"({self.rate(part)} or {self.rate(whole)} * 0)"
        return f"{numerator} / {self.rate(whole)}"

    def quantile(self, q: str, buckets: str) -> str:
        by = ", ".join(("le", *self.by))
        inner = f"sum by ({by}) (rate({buckets}{self.selector}[{self.range}]))"
        return f"histogram_quantile({q}, {inner})"
