"""Alert people on the other channels when one has given up telling them something.

A rule like any other, on a figure of our own: deliveries that were given up lately, by
channel. So it is told once, has a history, and is resolved when an hour went well.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from alerting.notifications.telling import Outcome
from alerting.rules import Rule

if TYPE_CHECKING:
    from alerting.ledger import Ledger
    from alerting.notice import Notice
    from alerting.source import MetricSource, Point

__all__ = ["RULE", "WithDeadLetters", "failing_channel"]

METRIC: Final = "alerting.deliveries.dead"
LABEL: Final = "channel"
RULE: Final = Rule.load(
    {
        "name": "undelivered_alerts",
        "metric": METRIC,
        "aggregation": "count",
        "by": [LABEL],
        "window": "1h",
        "operator": ">",
        "threshold": {"error": 0},
        "no_data": "ok",
        "annotations": {"summary": "Alerts could not be told and were given up"},
    }
)


@dataclass(frozen=True, slots=True)
class _Dead:
    """How many deliveries of one channel were given up."""

    labels: Mapping[str, str]
    value: float
    count: int


class WithDeadLetters:
    """Answers what `source` does, and how many deliveries were given up."""

    def __init__(
        self, source: MetricSource, ledger: Ledger, channels: Collection[str]
    ) -> None:
        self._source = source
        self._ledger = ledger
        self._channels = channels

    def query(self, metric: str, **question: Any) -> Sequence[Point]:  # noqa: ANN401 - as it was asked
        """Return one point for each channel, or what the source knows."""
        if metric != METRIC:
            return self._source.query(metric, **question)
        since = question["now"] - question["window"]
        dead = Counter(
            telling.channel
            for telling in self._ledger.tellings()
            if telling.state is Outcome.DEAD and telling.settled_at > since
        )
        return [_Dead({LABEL: c}, float(dead[c]), dead[c]) for c in self._channels]

    def evidence(self, metric: str, **question: Any) -> Mapping[str, Any]:  # noqa: ANN401 - as it was asked
        """Return what stands behind a figure of the source's."""
        return {} if metric == METRIC else self._source.evidence(metric, **question)

    def flat(self, *, now: float) -> Mapping[str, float]:
        """Return the flat metrics."""
        return self._source.flat(now=now)


def failing_channel(notice: Notice) -> str:
    """Return on which channel alerts were given up, "" for any other alert."""
    return dict(notice.labels).get(LABEL, "") if notice.name == RULE.name else ""
