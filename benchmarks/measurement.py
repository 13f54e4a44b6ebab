"""One measured figure, its spread, and the budget it is judged by."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import fmean, median, quantiles
from typing import Literal

RESAMPLES = 2_000

Verdict = Literal["within", "over", ""]


@dataclass(frozen=True, slots=True)
class Measurement:
    """A median with its spread ``low..high``; without a ``limit`` it is for orientation."""

    group: str
    subject: str
    unit: str
    value: float
    low: float
    high: float
    limit: float | None = None

    @property
    def verdict(self) -> Verdict:
        """Judge by the median alone: the spread says how much to trust it."""
        if self.limit is None:
            return ""
        return "within" if self.value <= self.limit else "over"


@dataclass(frozen=True, slots=True)
class Subject:
    """What a figure is about, before there is a figure."""

    group: str
    name: str
    unit: str
    limit: float | None = None

    def median_of(self, values: Sequence[float]) -> Measurement:
        """Return the median of ``values`` with their quartiles as spread."""
        low, high = _quartiles(values)
        return self._measured(median(values), low, high)

    def mean_of(self, values: Sequence[float]) -> Measurement:
        """Return the mean where rare large values are part of the cost."""
        low, high = _quartiles(values)
        return self._measured(fmean(values), low, high)

    def ratio_of(self, ours: Sequence[float], theirs: Sequence[float]) -> Measurement:
        """Return the ratio of both medians, its spread the 90 % bootstrap interval.

        A ratio per round would be at the mercy of the rounds with the smallest denominator.
        """
        chance = random.Random(7)
        resampled = sorted(
            _ratio(
                chance.choices(ours, k=len(ours)), chance.choices(theirs, k=len(theirs))
            )
            for _ in range(RESAMPLES)
        )
        low, high = resampled[RESAMPLES // 20], resampled[-RESAMPLES // 20]
        return self._measured(_ratio(ours, theirs), low, high)

    def exactly(self, value: float) -> Measurement:
        """Return a figure that has no spread, such as a count."""
        return self._measured(value, value, value)

    def _measured(self, value: float, low: float, high: float) -> Measurement:
        return Measurement(
            self.group, self.name, self.unit, value, low, high, self.limit
        )


def _quartiles(values: Sequence[float]) -> tuple[float, float]:
    if len(values) < 2:
        return values[0], values[0]
    low, _, high = quantiles(values, n=4, method="inclusive")
    return low, high


def _ratio(ours: Sequence[float], theirs: Sequence[float]) -> float:
    return median(ours) / median(theirs)


def interleaved(
    first: Callable[[], float], second: Callable[[], float], rounds: int
) -> tuple[list[float], list[float]]:
    """Take both figures in turn, so that a change of the machine's pace meets both."""
    pairs = [(first(), second()) for _ in range(rounds)]
    return [one for one, _ in pairs], [two for _, two in pairs]
