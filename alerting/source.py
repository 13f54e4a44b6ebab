"""What alerting needs from the site it watches: declared here, implemented elsewhere.

Everything that crosses this seam is a primitive, so neither side knows the other's
types. Times are epoch seconds, windows are seconds before `now`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

__all__ = ["MetricSource", "Point"]


class Point(Protocol):
    """The value of one series over a window, and how many measurements it rests on."""

    @property
    def labels(self) -> Mapping[str, str]:
        """The labels asked for with `by`."""
        ...

    @property
    def value(self) -> float:
        """The aggregated value: seconds, a ratio from 0 to 1, bytes, or a count."""
        ...

    @property
    def count(self) -> int:
        """How many measurements there are in the window."""
        ...


@runtime_checkable
class MetricSource(Protocol):
    """Answers what rules ask. Safe to use from several threads."""

    def query(  # noqa: PLR0913 - one call says all of a question
        self,
        metric: str,
        *,
        aggregation: str,
        where: Mapping[str, str],
        by: Sequence[str],
        window: float,
        now: float,
    ) -> Sequence[Point]:
        """Return one point for each series that has data, and none without data.

        `aggregation` is "avg", "max", "rate" (events per second), "ratio", "count", or a
        quantile such as "p95". Raise `LookupError` for a metric or label that does not
        exist, any other exception when the measurements cannot be read.
        """
        ...

    def evidence(
        self, metric: str, *, where: Mapping[str, str], window: float, now: float
    ) -> Mapping[str, Any]:
        """Return what stands behind a value of `metric`.

        `contributors`: dictionaries with an endpoint, a task or a fingerprint and query,
        and their count, value and share; `organizations`, where any are known, with their
        count and share; `code`: file, line and function, or None;
        `traces`: trace ids, `spans`: those of their spans, in the same order. JSON only,
        without any literal of a query.
        """
        ...

    def flat(self, *, now: float) -> Mapping[str, float]:
        """Return the flat metrics that conditions in code receive: `cpu_percent` …."""
        ...
