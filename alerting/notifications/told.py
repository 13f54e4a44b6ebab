"""What was told on one channel, so arranged that a storm does not search it all."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from math import inf
from typing import TYPE_CHECKING, Final

from alerting.alert import Kind
from alerting.notifications.telling import GROUPED, Outcome

if TYPE_CHECKING:
    from alerting.notice import Notice
    from alerting.notifications.telling import Group, Telling
    from alerting.rules import Severity

__all__ = ["Told", "is_overtaken"]

# The kinds by which an alert comes.
_STARTS: Final = frozenset({Kind.FIRING, Kind.ESCALATED})


def is_overtaken(telling: Telling, notice: Notice) -> bool:
    """Tell whether an alarm waits that is worse than what `notice` says by now."""
    is_worse = telling.severity.rank > notice.severity.rank
    return telling.is_alarm and is_worse and telling.is_waiting(notice.at)


class Told:
    """The tellings of one channel: those of the last hour and of open alerts."""

    def __init__(self, tellings: Iterable[Telling] = ()) -> None:
        self.gathering_until = 0.0
        """Until when alarms wait, or have waited, for others."""
        self._alerts: defaultdict[str, list[Telling]] = defaultdict(list)
        self._series: defaultdict[str, list[Telling]] = defaultdict(list)
        self._alarms: defaultdict[Group, list[Telling]] = defaultdict(list)
        self._digests: defaultdict[tuple[Group, bool], dict[str, Telling]] = (
            defaultdict(dict)
        )
        for telling in tellings:
            self.add(telling)

    def add(self, telling: Telling) -> None:
        """Add what was decided just now."""
        self._alerts[telling.alert_id].append(telling)
        self._series[telling.fingerprint].append(telling)
        if telling.state is Outcome.SKIPPED:
            # A digest goes on gathering without the one that began it.
            return
        if telling.is_digest:
            digests = self._digests[telling.group, telling.is_resolution]
            digests.setdefault(telling.batch, telling)
        elif telling.is_alarm:
            self._alarms[telling.group].append(telling)
            if telling.is_untried_alarm and telling.reason.startswith(GROUPED):
                self.gathering_until = telling.next_at

    def of_alert(self, alert_id: str) -> Sequence[Telling]:
        """Return what was told of one episode."""
        return self._alerts.get(alert_id, ())

    def has_heard(self, notice: Notice) -> bool:
        """Tell whether somebody knows of an episode as one at least as bad, or is about to."""
        return any(
            telling.is_alarm
            and telling.counts
            and telling.severity.rank >= notice.severity.rank
            and not is_overtaken(telling, notice)
            for telling in self.of_alert(notice.alert_id)
        )

    def shown(self, notice: Notice) -> Severity | None:
        """Return as how bad an episode was told last, None if it has not been told."""
        told = [
            telling
            for telling in self.of_alert(notice.alert_id)
            if telling.is_alarm and telling.counts and not telling.is_waiting(notice.at)
        ]
        last = max(told, key=lambda telling: telling.sequence, default=None)
        return None if last is None else last.severity

    def last_at(self, notice: Notice) -> float:
        """Return when this alert was last told at least as bad as it is now."""
        return max((at for at, _ in self._as_bad(notice)), default=-inf)

    def starts(self, notice: Notice, *, since: float) -> list[float]:
        """Return when it was told since then that this alert fires, oldest first."""
        return sorted(
            at
            for at, telling in self._as_bad(notice)
            if at > since and telling.kind in _STARTS and not telling.is_digest
        )

    def _as_bad(self, notice: Notice) -> Iterator[tuple[float, Telling]]:
        """Yield the alarms of this alert, in all its episodes, as bad as it is now.

        Each with when it was told: never in the future, whatever the clock said then.
        """
        for telling in self._series.get(notice.fingerprint, ()):
            if (
                telling.is_alarm
                and telling.counts
                and telling.severity.rank >= notice.severity.rank
                and not telling.is_waiting(notice.at)
            ):
                at = telling.settled_at or telling.created_at
                yield min(at, notice.at), telling

    def alarms(self, group: Group, *, since: float) -> int:
        """Return how many alarms of a group were told one by one."""
        return sum(alarm.created_at > since for alarm in self._alarms.get(group, ()))

    def digests(self, group: Group, *, is_resolution: bool) -> list[Telling]:
        """Return one telling of each digest of a group."""
        return list(self._digests.get((group, is_resolution), {}).values())
