"""Whether an alert that fires is not to be told just now, and why.

Pure. Muting affects the telling, never the alert: what still fires when nothing mutes it any
more is told then. Ends are told whatever is muted: whoever was told that it fired wants to know.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from alerting.notifications.inhibition import Firing, Inhibition, inhibited
from alerting.notifications.matchers import all_match, shown

if TYPE_CHECKING:
    from alerting.notifications.silence import Silence
    from alerting.notifications.telling import Telling

__all__ = ["Firing", "Hold", "Inhibition", "Mute", "Muting"]

# What the reason of a telling begins with that is muted: by it a release knows its own.
SILENCED: Final = "silenced"
INHIBITED: Final = "inhibited"
REASON_LIMIT: Final = 255


@dataclass(frozen=True, slots=True)
class Mute:
    """Until when something is not told, and why; a hold shorter than `needed` is renewed."""

    until: float
    needed: float
    reason: str


@dataclass(frozen=True, slots=True)
class Hold:
    """A telling that nobody has tried to send yet, and its new time and reason."""

    key: str
    until: float
    reason: str


class Muting:
    """What mutes what at `now`; made for one evaluation, so that a storm is no square.

    A silence that raises matches nothing, and is among the `failures`.
    Who inhibits may end at any evaluation: its targets wait for `patience` seconds at a time,
    which has to be longer than two evaluations are apart.
    """

    def __init__(
        self,
        firing: Iterable[Firing],
        *,
        silences: Iterable[Silence] = (),
        inhibitions: Iterable[Inhibition] = (),
        patience: float = 60.0,
        now: float,
    ) -> None:
        self._now = now
        self._patience = patience
        self._alerts = {alert.alert_id: alert for alert in firing}
        self.failures: dict[str, Exception] = {}
        """Why silences, by their ids, could not be asked."""
        self._silences = [
            (until, silence)
            for silence in silences
            if (until := self._until(silence)) is not None
        ]
        self._explained = inhibited(self._alerts.values(), inhibitions)
        self._found: dict[str, Mute | None] = {}

    def of(self, alert_id: str) -> Mute | None:
        """Return what mutes an open alert: of several silences the one that lasts longest."""
        alert = self._alerts.get(alert_id)
        if alert is None:
            return None
        if alert_id not in self._found:
            self._found[alert_id] = self._silenced(alert) or self._inhibited(alert)
        return self._found[alert_id]

    def held(self, telling: Telling) -> Telling:
        """Return a telling that has just been decided on, put off if it is muted."""
        mute = self.of(telling.alert_id) if telling.is_untried_alarm else None
        if mute is None or mute.until <= telling.next_at:
            return telling
        return replace(telling, next_at=mute.until, reason=mute.reason)

    def holds(self, waiting: Iterable[Telling]) -> Iterator[Hold]:
        """Return what changes for untried alarms of earlier: muted now, or no longer."""
        for telling in waiting:
            mute = self.of(telling.alert_id)
            if mute is None:
                if telling.reason.startswith((SILENCED, INHIBITED)):
                    yield Hold(telling.key, self._now, "")
            elif telling.reason != mute.reason or telling.next_at < mute.needed:
                yield Hold(telling.key, mute.until, mute.reason)

    def _until(self, silence: Silence) -> float | None:
        try:
            return silence.until(self._now)
        except Exception as error:  # noqa: BLE001 - told by who asked for the muting
            self.failures[silence.id] = error
            return None

    def _matches(self, silence: Silence, alert: Firing) -> bool:
        try:
            return all_match(silence.matchers, alert.labels)
        except Exception as error:  # noqa: BLE001 - as above
            self.failures[silence.id] = error
            return False

    def _silenced(self, alert: Firing) -> Mute | None:
        found = [
            Mute(until, until, _silenced_by(each))
            for until, each in self._silences
            if self._matches(each, alert)
        ]
        return max(found, key=lambda mute: mute.until, default=None)

    def _inhibited(self, alert: Firing) -> Mute | None:
        other = self._explained.get(alert.alert_id)
        if other is None:
            return None
        name = other.labels.get("alertname", "")
        reason = f"{INHIBITED} by {name}, which fires too"
        end = self._now + self._patience
        return Mute(end, end - self._patience / 2, reason)


def _silenced_by(silence: Silence) -> str:
    why = f"{SILENCED} by {silence.author} ({silence.comment}): "
    return (why + shown(silence.matchers))[:REASON_LIMIT]
