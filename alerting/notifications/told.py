"""What was told on one channel, so arranged that a storm does not search it all."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from alerting.notifications.telling import Outcome

if TYPE_CHECKING:
    from alerting.notifications.telling import Telling

__all__ = ["Told"]


class Told:
    """The tellings of one channel: those of the last hour and of open alerts."""

    def __init__(self, tellings: Iterable[Telling] = ()) -> None:
        self._alerts: defaultdict[str, list[Telling]] = defaultdict(list)
        self._series: defaultdict[str, list[Telling]] = defaultdict(list)
        self._alarms: defaultdict[str, list[Telling]] = defaultdict(list)
        self._digests: defaultdict[tuple[str, bool], dict[str, Telling]] = defaultdict(
            dict
        )
        for telling in tellings:
            self.add(telling)

    def add(self, telling: Telling) -> None:
        """Add what was decided just now."""
        self._alerts[telling.alert_id].append(telling)
        self._series[telling.fingerprint].append(telling)
        if telling.is_digest:
            digests = self._digests[telling.rule, telling.is_resolution]
            digests.setdefault(telling.batch, telling)
        elif telling.is_alarm and telling.state is not Outcome.SKIPPED:
            self._alarms[telling.rule].append(telling)

    def of_alert(self, alert_id: str) -> Sequence[Telling]:
        """Return what was told of one episode."""
        return self._alerts.get(alert_id, ())

    def of_series(self, fingerprint: str) -> Sequence[Telling]:
        """Return what was told of an alert in all its episodes."""
        return self._series.get(fingerprint, ())

    def alarms(self, rule: str, *, since: float) -> int:
        """Return how many alarms of a rule were told one by one."""
        return sum(alarm.created_at > since for alarm in self._alarms.get(rule, ()))

    def digests(self, rule: str, *, is_resolution: bool) -> list[Telling]:
        """Return one telling of each digest of a rule."""
        return list(self._digests.get((rule, is_resolution), {}).values())
