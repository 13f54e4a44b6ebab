"""Waiting for other alerts to share a message with. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from alerting.notifications.figures import clock
from alerting.notifications.telling import GROUPED

if TYPE_CHECKING:
    from alerting.notifications.telling import Telling
    from alerting.notifications.told import Told

__all__ = ["grouped"]


def grouped(telling: Telling, told: Told, seconds: float) -> Telling:
    """Let a telling wait with those that wait for others already, or be the first to."""
    now = telling.created_at
    if not seconds:
        return telling
    until = told.gathering_until if told.gathering_until > now else now + seconds
    return replace(telling, next_at=until, reason=f"{GROUPED} until {clock(until)}")
