"""Which tellings are worth remembering, and what becomes of them when the clock is set back.

Pure. A time in the future is no time at which anybody was told: taken at its word it would
mute for as long as the clock was wrong. What was before stays before, what waits waits as
long as it had still to wait, and at the latest it all happened just now.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from math import inf
from typing import TYPE_CHECKING

from alerting.lifecycle import LATE
from alerting.notifications.telling import Outcome

if TYPE_CHECKING:
    from alerting.notifications.telling import Telling

__all__ = ["remembered", "seconds_back", "set_back"]


def remembered(
    tellings: Mapping[str, Telling],
    wanted: Collection[str],
    *,
    since: float,
    limit: int,
) -> dict[str, Telling]:
    """Return what is due, of the `wanted` alerts, or no older than `since`, in its order.

    Of what is merely recent at most `limit`.
    """
    # Whoever is to be told that an alert is over was told that it fired.
    due = {t.alert_id for t in tellings.values() if t.state is Outcome.DUE}
    alerts = due.union(wanted)
    needed, recent = set(), []
    for key, telling in tellings.items():
        if telling.alert_id in alerts:
            needed.add(key)
        elif _last_moment(telling) > since:
            recent.append(key)
    kept = needed.union(recent[-limit:])
    return {key: telling for key, telling in tellings.items() if key in kept}


def seconds_back(
    tellings: Iterable[Telling], *, last: float | None, now: float
) -> float:
    """Return by how much the clock was set back since `last`, 0 if it was not.

    Who does not know when it was `last` goes by the latest that happened. A little is
    nothing: what is a minute ahead mutes for a minute.
    """
    if last is None:
        last = max((max(t.created_at, t.settled_at) for t in tellings), default=-inf)
    return last - now if last - now > LATE else 0.0


def set_back(telling: Telling, seconds: float, *, now: float) -> Telling:
    """Return a telling by a clock that was set back, itself if nothing changes."""
    waits = seconds if telling.state is Outcome.DUE else 0.0
    is_past = max(telling.created_at, telling.settled_at) <= now + LATE
    if is_past and not waits:
        return telling
    return replace(
        telling,
        created_at=_happened(telling.created_at, seconds, now),
        settled_at=_happened(telling.settled_at, seconds, now),
        next_at=telling.next_at - waits,
        claimed_until=max(0.0, telling.claimed_until - waits),
    )


def _happened(at: float, seconds: float, now: float) -> float:
    return min(at - seconds, now) if at > now + LATE else at


def _last_moment(telling: Telling) -> float:
    return max(telling.created_at, telling.settled_at, telling.next_at)
