"""Which channels an alert is told on, and when it is told again because nobody reacts. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from alerting.notifications.matchers import Matchers, all_match
from alerting.notifications.telling import Outcome
from alerting.rules.duration import format_duration, parse_duration

if TYPE_CHECKING:
    from alerting.notifications.muting import Firing
    from alerting.notifications.telling import Telling

__all__ = ["Escalation", "Reminders", "Routing", "SendTo"]

Channels = Annotated[tuple[str, ...], Field(min_length=1, max_length=20)]
Reminders = Mapping[tuple[str, str], str]
"""By alert and channel, why the alert is told there (again)."""


class SendTo(BaseModel):
    """Alerts that match are told on these channels alone."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    matchers: Matchers
    channels: Channels


class Escalation(BaseModel):
    """What nobody has acknowledged `after` so many seconds is told on these channels too."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    after: Annotated[float, BeforeValidator(parse_duration), Field(gt=0)]
    channels: Channels
    matchers: Matchers | None = None

    def concerns(self, alert: Firing) -> bool:
        """Tell whether an alert is one of those that are escalated."""
        return self.matchers is None or all_match(self.matchers, alert.labels)


@dataclass(frozen=True, slots=True)
class Routing:
    """The routes, of which the first that matches counts, and what happens if nobody reacts.

    Without a route an alert is told on every channel but those that only escalations name.
    `repeat` are the seconds after which an alert that goes on is told again, 0 for never.
    """

    routes: Sequence[SendTo] = ()
    escalations: Sequence[Escalation] = ()
    repeat: float = 0.0

    @property
    def is_plain(self) -> bool:
        """Tell whether nothing is ever told again."""
        return not (self.repeat or self.escalations)

    def channels(self, labels: Mapping[str, str], known: Iterable[str]) -> list[str]:
        """Return on which of the `known` channels an alert with these labels is told."""
        for route in self.routes:
            if all_match(route.matchers, labels):
                return [name for name in known if name in route.channels]
        in_routes = {name for route in self.routes for name in route.channels}
        later = {name for each in self.escalations for name in each.channels}
        return [name for name in known if name in in_routes or name not in later]

    def reminders(
        self,
        alerts: Iterable[tuple[Firing, float]],
        known: Iterable[Telling],
        *,
        now: float,
    ) -> Reminders:
        """Return which alerts, given with when they fired, are to be told (again) now.

        `alerts` are those that are open, not acknowledged and not about to be over.
        """
        told: dict[str, list[Telling]] = {}
        for telling in known:
            if telling.is_alarm and telling.state in (Outcome.SENT, Outcome.DUE):
                told.setdefault(telling.alert_id, []).append(telling)
        found: dict[tuple[str, str], str] = {}
        for alert, fired_at in alerts:
            mine = told.get(alert.alert_id, ())
            found.update(self._repeats(alert, mine, now))
            found.update(self._escalated(alert, fired_at, mine, now))
        return found

    def _repeats(
        self, alert: Firing, told: Sequence[Telling], now: float
    ) -> Iterator[tuple[tuple[str, str], str]]:
        if not self.repeat:
            return
        latest: dict[str, float] = {}
        for telling in told:
            at = telling.settled_at if telling.state is Outcome.SENT else float("inf")
            latest[telling.channel] = max(latest.get(telling.channel, 0.0), at)
        for channel, at in latest.items():
            if now - at >= self.repeat:
                every = format_duration(self.repeat)
                yield (alert.alert_id, channel), f"repeated every {every}"

    def _escalated(
        self, alert: Firing, fired_at: float, told: Sequence[Telling], now: float
    ) -> Iterator[tuple[tuple[str, str], str]]:
        already = {telling.channel for telling in told}
        # By a clock that was set back since it fires in the future.
        fired_at = min([fired_at, *(telling.created_at for telling in told)])
        for each in self.escalations:
            if now - fired_at < each.after or not each.concerns(alert):
                continue
            for channel in each.channels:
                if channel not in already:
                    after = format_duration(each.after)
                    reason = f"nobody has acknowledged it for {after}"
                    yield (alert.alert_id, channel), reason
