"""What is beyond the hourly limit: collapsed into one message, not dropped. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from alerting.notifications.figures import clock

if TYPE_CHECKING:
    from alerting.notifications.telling import Telling
    from alerting.notifications.told import Told

__all__ = ["DIGEST_WAIT", "HOUR", "collapsed"]

HOUR: Final = 3600.0
# How long a digest gathers before it is sent.
DIGEST_WAIT: Final = 60.0


def collapsed(telling: Telling, told: Told, why: str) -> Telling:
    """Put a telling into the digest that gathers, or begin the next one."""
    now = telling.created_at
    digests = told.digests(telling.group, is_resolution=telling.is_resolution)
    gathering = next((digest for digest in digests if digest.is_waiting(now)), None)
    if gathering is not None:
        due, batch = gathering.next_at, gathering.batch
    else:
        last = max((digest.next_at for digest in digests), default=float("-inf"))
        due = max(now + DIGEST_WAIT, min(last, now) + HOUR)
        batch = f"digest:{telling.key}"
    return replace(
        telling,
        next_at=due,
        batch=batch,
        is_digest=True,
        reason=f"{why}: in the digest of {clock(due)}",
    )
