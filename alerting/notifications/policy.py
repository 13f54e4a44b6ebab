"""Whether, when and to whom a notice is told on one channel.

Pure: a function of the notice, of what was told before, and of the limits. Nothing
here changes an alert's state, and whatever is not told has its reason written down.

1. A channel that cannot be used is skipped.
2. The same alert is not told again within the cooldown, unless it is worse: it is held
   back, and told at the end of the cooldown if it still fires then.
3. An alert that comes and goes is told so many times in an hour, then held back until
   an hour after the first of these: told if it stays, quiet if it goes on flapping.
4. Beyond so many alerts of a rule, or of another system, in an hour the rest is collapsed
   into a digest.
5. What is left may wait for others for a moment.
6. A resolution goes to exactly those who were told that the alert fired.
7. What has got better is told if what was worse had not been told by then: nobody would
   know of it otherwise.
8. A channel that shows what it was told is told at once of what an alert is since then.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from math import inf
from typing import TYPE_CHECKING

from alerting.alert import Kind
from alerting.notifications.digest import DIGEST_WAIT, HOUR, collapsed
from alerting.notifications.figures import clock
from alerting.notifications.group import grouped
from alerting.notifications.telling import ALARMS, Telling
from alerting.notifications.told import Told, is_overtaken
from alerting.rules.duration import format_duration
from alerting.rules.external import SOURCE

if TYPE_CHECKING:
    from alerting.notice import Notice

__all__ = [
    "DIGEST_WAIT",
    "HOUR",
    "Cancellation",
    "Decision",
    "Limits",
    "Route",
    "decide",
    "decide_all",
]


@dataclass(frozen=True, slots=True)
class Limits:
    """How much may be told: `cooldown` in seconds, alerts per rule (or source) and hour.

    `flaps` is how often one alert is told in an hour that it fires; `group_wait` are the
    seconds that the first alert waits for others to share its message.
    """

    cooldown: float
    per_hour: int
    flaps: float = inf
    group_wait: float = 0.0


@dataclass(frozen=True, slots=True)
class Route:
    """A channel to tell a notice on; `unavailable` says why it cannot be.

    `reason` says why an alert that was told before is told here (again); `is_past`
    that an alert as bad as this one does not come here, but was told here before. A
    `is_mirror` keeps what it was told, and shows it until it is told otherwise.
    """

    channel: str
    unavailable: str = ""
    reason: str = ""
    is_past: bool = False
    is_mirror: bool = False


@dataclass(frozen=True, slots=True)
class Cancellation:
    """A telling that was waiting and is not to be sent any more."""

    key: str
    reason: str


@dataclass(frozen=True, slots=True)
class Decision:
    """What to tell, if anything, and what of the waiting is overtaken by it."""

    telling: Telling | None
    cancelled: tuple[Cancellation, ...] = ()


def decide_all(
    routed: Iterable[tuple[Notice, Sequence[Route]]],
    known: Iterable[Telling],
    *,
    limits: Limits,
) -> tuple[list[Telling], list[Cancellation]]:
    """Decide on every notice for each channel it is routed to."""
    tellings: list[Telling] = []
    cancelled: list[Cancellation] = []
    by_channel: defaultdict[str, Told] = defaultdict(Told)
    for telling in known:
        by_channel[telling.channel].add(telling)
    for notice, routes in routed:
        is_unheard = _is_unheard(notice, by_channel.values())
        for route in routes:
            told = by_channel[route.channel]
            decision = decide(notice, route, told, limits=limits, is_unheard=is_unheard)
            cancelled += decision.cancelled
            if decision.telling is not None:
                told.add(decision.telling)
                tellings.append(decision.telling)
    return tellings, cancelled


def decide(
    notice: Notice,
    route: Route,
    told: Told,
    *,
    limits: Limits,
    is_unheard: bool = False,
) -> Decision:
    """Decide on one notice for one channel, knowing what was `told` there.

    `is_unheard` says that on no channel anybody will have heard of the alert.
    """
    mine = told.of_alert(notice.alert_id)
    waiting = [telling for telling in mine if telling.is_waiting(notice.at)]
    if notice.kind is Kind.RESOLVED:
        telling = _resolution(notice, route, told, waiting)
        return Decision(telling, _cancelled(waiting, "resolved before it was due"))
    if _shows_another(notice, route, told):
        since = _cancelled(waiting, f"{notice.severity} since then")
        return Decision(_usable(_telling(notice, route), route), since)
    if notice.kind is Kind.DEESCALATED:
        return _relieved(notice, route, told, limits, is_unheard=is_unheard)
    if notice.kind not in ALARMS:
        return Decision(None)
    telling = _alarm(notice, route, told, limits)
    return Decision(telling, _cancelled(waiting, f"{notice.severity} since then"))


def _shows_another(notice: Notice, route: Route, told: Told) -> bool:
    """Tell whether a mirror shows an alert as of a severity that it no longer has."""
    is_change = notice.kind in {Kind.ESCALATED, Kind.DEESCALATED}
    return (
        route.is_mirror
        and is_change
        and told.shown(notice) not in {None, notice.severity}
    )


def _usable(telling: Telling, route: Route) -> Telling:
    if route.unavailable:
        return telling.skipped(route.unavailable, at=telling.created_at)
    return telling


def _is_unheard(notice: Notice, channels: Iterable[Told]) -> bool:
    """Tell whether everything of an alert that is better now has been overtaken by that."""
    if notice.kind is not Kind.DEESCALATED:
        return False
    found = [told for told in channels if told.of_alert(notice.alert_id)]
    return bool(found) and not any(told.has_heard(notice) for told in found)


def _relieved(
    notice: Notice, route: Route, told: Told, limits: Limits, *, is_unheard: bool
) -> Decision:
    """Take back what is worse than the alert by now, and tell it as what it is instead."""
    mine = told.of_alert(notice.alert_id)
    worse = [telling for telling in mine if is_overtaken(telling, notice)]
    milder = _cancelled(worse, f"only {notice.severity} before it was due")
    is_news = (worse or is_unheard) and not told.has_heard(notice)
    if not is_news or route.is_past:
        return Decision(None, milder)
    return Decision(_alarm(notice, route, told, limits), milder)


def _alarm(notice: Notice, route: Route, told: Told, limits: Limits) -> Telling:
    telling = _usable(_telling(notice, route), route)
    if route.unavailable:
        return telling
    if notice.kind is Kind.REMINDER:
        return replace(telling, reason=route.reason)
    cooldown = limits.cooldown if notice.cooldown is None else notice.cooldown
    until = told.last_at(notice) + cooldown
    if until > notice.at:
        lasts = f"{format_duration(cooldown)} lasts until {clock(until)}"
        return replace(telling, next_at=until, reason=f"the cooldown of {lasts}")
    if len(starts := told.starts(notice, since=notice.at - HOUR)) >= limits.flaps:
        until = starts[-int(limits.flaps)] + HOUR
        why = f"it comes and goes, told {len(starts)} times in an hour"
        return replace(
            telling, next_at=until, reason=f"{why}: held until {clock(until)}"
        )
    if told.alarms(telling.group, since=notice.at - HOUR) >= limits.per_hour:
        what = "source" if telling.source else "rule"
        why = f"more than {limits.per_hour} alerts of this {what} in an hour"
        return collapsed(telling, told, why)
    return grouped(telling, told, limits.group_wait)


def _resolution(
    notice: Notice, route: Route, told: Told, waiting: Sequence[Telling]
) -> Telling:
    telling = _telling(notice, route)
    mine = told.of_alert(notice.alert_id)
    alarms = [t for t in mine if t.is_alarm and t.counts and t not in waiting]
    if not alarms:
        because = next((f" ({t.reason})" for t in reversed(mine) if t.reason), "")
        reason = f"nobody was told that it fired{because}"
        return telling.skipped(reason, at=notice.at)
    reached = dict.fromkeys(r for alarm in alarms for r in alarm.recipients)
    telling = replace(telling, recipients=tuple(reached))
    if all(alarm.is_digest for alarm in alarms):
        return collapsed(telling, told, "a digest told that it fired")
    return telling


def _telling(notice: Notice, route: Route) -> Telling:
    return Telling(
        key=f"{notice.key}:{route.channel}",
        alert_id=notice.alert_id,
        sequence=notice.sequence,
        fingerprint=notice.fingerprint,
        rule=notice.name,
        channel=route.channel,
        kind=notice.kind,
        severity=notice.severity,
        created_at=notice.at,
        next_at=notice.at,
        source=dict(notice.labels).get(SOURCE, ""),
    )


def _cancelled(waiting: Sequence[Telling], reason: str) -> tuple[Cancellation, ...]:
    return tuple(Cancellation(telling.key, reason) for telling in waiting)
