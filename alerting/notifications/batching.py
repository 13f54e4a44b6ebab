"""Which of the tellings that are due go into the next message."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from alerting.notifications.telling import Telling

__all__ = ["Place", "choose", "in_turn"]

Place = tuple[str, str]
"""An alert and a channel: where what happened first is told first."""


def in_turn(due: Sequence[Telling], first: Mapping[Place, int]) -> list[Telling]:
    """Return those before which nothing else of the same alert waits on their channel.

    `first` has the lowest sequence that is due at each place, claimed or not.
    """
    return [
        t for t in due if t.sequence <= first.get((t.alert_id, t.channel), t.sequence)
    ]


def choose(due: Sequence[Telling], *, size: int) -> tuple[Telling, ...]:
    """Return the tellings of the next message, none when nothing is due.

    Alarms and resolutions never share a message, nor do different recipients of
    resolutions. What has been tried together, or belongs to one digest, stays together:
    another attempt must be the same message.
    """
    if not due:
        return ()
    leader = due[0]
    if leader.batch:
        return tuple(t for t in due if t.batch == leader.batch)
    alike = [t for t in due if _kin(t) == _kin(leader)]
    return tuple(alike[:size])


def _kin(telling: Telling) -> tuple[object, ...]:
    told = telling.recipients if telling.is_resolution else ()
    return telling.channel, telling.is_resolution, telling.batch, told
