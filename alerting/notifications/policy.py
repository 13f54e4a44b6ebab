"""Whether, when and to whom a notice is told on one channel.

Pure: a function of the notice, of what was told before, and of the limits. Nothing
here changes an alert's state, and whatever is not told has its reason written down.

1. A channel that cannot be used is skipped.
2. The same alert is not told again within the cooldown, unless it is worse: it is held
   back, and told at the end of the cooldown if it still fires then.
3. An alert that comes and goes is told so many times in an hour, then held back until
   an hour after the first of these: told if it stays, quiet if it goes on flapping.
4. Beyond so many alerts of a rule in an hour the rest is collapsed into a digest.
5. A resolution goes to exactly those who were told that the alert fired.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from math import inf
from typing import TYPE_CHECKING, Final

from alerting.alert import Kind
from alerting.notifications.figures import clock
from alerting.notifications.telling import ALARMS, Outcome, Telling
from alerting.notifications.told import Told
from alerting.rules.duration import format_duration

if TYPE_CHECKING:
    from alerting.notice import Notice

__all__ = [
    "HOUR",
    "Cancellation",
    "Decision",
    "Limits",
    "Route",
    "decide",
    "decide_all",
]

HOUR: Final = 3600.0
# How long a digest gathers before it is sent.
DIGEST_WAIT: Final = 60.0


@dataclass(frozen=True, slots=True)
class Limits:
    """How much may be told: `cooldown` in seconds, alerts per rule and hour.

    `flaps` is how often one alert is told in an hour that it fires.
    """

    cooldown: float
    per_hour: int
    flaps: float = inf


@dataclass(frozen=True, slots=True)
class Route:
    """A channel to tell a notice on; `unavailable` says why it cannot be.

    `reason` says why an alert that was told before is told here (again).
    """

    channel: str
    unavailable: str = ""
    reason: str = ""


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
    by_channel: dict[str, Told] = {}
    for telling in known:
        by_channel.setdefault(telling.channel, Told()).add(telling)
    for notice, routes in routed:
        for route in routes:
            told = by_channel.setdefault(route.channel, Told())
            decision = decide(notice, route, told, limits=limits)
            cancelled += decision.cancelled
            if decision.telling is not None:
                told.add(decision.telling)
                tellings.append(decision.telling)
    return tellings, cancelled


def decide(notice: Notice, route: Route, told: Told, *, limits: Limits) -> Decision:
    """Decide on one notice for one channel, knowing what was `told` there."""
    mine = told.of_alert(notice.alert_id)
    waiting = [telling for telling in mine if telling.is_waiting(notice.at)]
    if notice.kind is Kind.RESOLVED:
        telling = _resolution(notice, route, told, waiting)
        return Decision(telling, _cancelled(waiting, "resolved before it was due"))
    if notice.kind is Kind.DEESCALATED:
        milder = f"only {notice.severity} before it was due"
        worse = [t for t in waiting if t.severity.rank > notice.severity.rank]
        return Decision(None, _cancelled(worse, milder))
    if notice.kind not in ALARMS:
        return Decision(None)
    telling = _alarm(notice, route, told, limits)
    return Decision(telling, _cancelled(waiting, f"{notice.severity} since then"))


def _alarm(notice: Notice, route: Route, told: Told, limits: Limits) -> Telling:
    telling = _telling(notice, route)
    if route.unavailable:
        return telling.skipped(route.unavailable, at=notice.at)
    if notice.kind is Kind.REMINDER:
        return replace(telling, reason=route.reason)
    cooldown = limits.cooldown if notice.cooldown is None else notice.cooldown
    until = _told_at(notice, told) + cooldown
    if until > notice.at:
        lasts = f"{format_duration(cooldown)} lasts until {clock(until)}"
        return replace(telling, next_at=until, reason=f"the cooldown of {lasts}")
    if len(starts := _told_starts(notice, told)) >= limits.flaps:
        until = starts[-int(limits.flaps)] + HOUR
        why = f"it comes and goes, told {len(starts)} times in an hour"
        return replace(
            telling, next_at=until, reason=f"{why}: held until {clock(until)}"
        )
    if told.alarms(notice.name, since=notice.at - HOUR) >= limits.per_hour:
        why = f"more than {limits.per_hour} alerts of this rule in an hour"
        return _collapsed(telling, told, why)
    return telling


def _resolution(
    notice: Notice, route: Route, told: Told, waiting: Sequence[Telling]
) -> Telling:
    telling = _telling(notice, route)
    mine = told.of_alert(notice.alert_id)
    alarms = [t for t in mine if t.is_alarm and _counts(t) and t not in waiting]
    if not alarms:
        because = next((f" ({t.reason})" for t in reversed(mine) if t.reason), "")
        reason = f"nobody was told that it fired{because}"
        return telling.skipped(reason, at=notice.at)
    reached = dict.fromkeys(r for alarm in alarms for r in alarm.recipients)
    telling = replace(telling, recipients=tuple(reached))
    if all(alarm.is_digest for alarm in alarms):
        return _collapsed(telling, told, "a digest told that it fired")
    return telling


def _told_at(notice: Notice, told: Told) -> float:
    """Return when this alert was last told at least as bad as it is now."""
    return max(map(_moment, _told_as_bad(notice, told)), default=-inf)


def _told_starts(notice: Notice, told: Told) -> list[float]:
    """Return when it was told within the hour that this alert fires, oldest first."""
    moments = (
        _moment(telling)
        for telling in _told_as_bad(notice, told)
        if telling.kind is not Kind.REMINDER and not telling.is_digest
    )
    return sorted(at for at in moments if at > notice.at - HOUR)


def _told_as_bad(notice: Notice, told: Told) -> Iterator[Telling]:
    """Yield the alarms of this alert, in all its episodes, as bad as it is now."""
    for telling in told.of_series(notice.fingerprint):
        if (
            telling.is_alarm
            and _counts(telling)
            and telling.severity.rank >= notice.severity.rank
            and not telling.is_waiting(notice.at)
        ):
            yield telling


def _moment(telling: Telling) -> float:
    return telling.settled_at or telling.created_at


def _counts(telling: Telling) -> bool:
    return telling.state in {Outcome.DUE, Outcome.SENT}


def _collapsed(telling: Telling, told: Told, why: str) -> Telling:
    """Put a telling into the digest that gathers, or begin the next one."""
    now = telling.created_at
    digests = told.digests(telling.rule, is_resolution=telling.is_resolution)
    gathering = next((digest for digest in digests if digest.is_waiting(now)), None)
    if gathering is not None:
        due, batch = gathering.next_at, gathering.batch
    else:
        last = max((digest.next_at for digest in digests), default=float("-inf"))
        due, batch = max(now + DIGEST_WAIT, last + HOUR), f"digest:{telling.key}"
    return replace(
        telling,
        next_at=due,
        batch=batch,
        is_digest=True,
        reason=f"{why}: in the digest of {clock(due)}",
    )


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
    )


def _cancelled(waiting: Sequence[Telling], reason: str) -> tuple[Cancellation, ...]:
    return tuple(Cancellation(telling.key, reason) for telling in waiting)
