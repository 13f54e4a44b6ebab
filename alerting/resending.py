"""What to say once more, and when, on channels whose receivers forget.

Only what was told there and still fires: what is silenced, or waits for a cooldown, is
not let in by this door.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import TYPE_CHECKING, Final

from alerting.channels.base import Resending as ResendingChannel
from alerting.history import DATABASE_ERRORS
from alerting.notifications.telling import Outcome

if TYPE_CHECKING:
    from alerting.channels.base import Channel
    from alerting.ledger import Ledger
    from alerting.notice import Notice
    from alerting.notifications.telling import Telling

__all__ = ["Resending"]

logger = logging.getLogger("prs_otel")

RETRY: Final = 10.0  # seconds until another attempt after one that failed

Find = Callable[[Collection[str]], Mapping[str, "Notice"]]
"""Return notices by their keys, as many as are known; may raise database errors."""


class Resending:
    """The schedule of one evaluator. Used by the thread that sends."""

    def __init__(
        self, channels: Mapping[str, Channel], ledger: Ledger, *, find: Find
    ) -> None:
        self._channels = {
            name: channel
            for name, channel in channels.items()
            if isinstance(channel, ResendingChannel)
        }
        self._ledger = ledger
        self._find = find
        self._next: dict[str, float] = {}
        self._notices: dict[str, Notice] = {}

    def due(
        self, *, now: float
    ) -> Iterator[tuple[str, ResendingChannel, list[Notice]]]:
        """Yield each channel whose time it is, with the last alarm of what fires there."""
        for name, channel in self._channels.items():
            # Further away, and the clock was set back meanwhile.
            if 0 < self._next.get(name, 0.0) - now <= channel.resend_every:
                continue
            notices = self._firing(name)
            if notices:
                # Where nothing fires the next alarm is told anyway.
                self._next[name] = now + channel.resend_every
                yield name, channel, notices

    def failed(self, name: str, *, now: float) -> None:
        """Come back sooner to a channel that has just failed."""
        self._next[name] = min(self._next[name], now + RETRY)

    def _firing(self, channel: str) -> list[Notice]:
        last: dict[str, Telling] = {}
        for telling in self._ledger.tellings():
            if _is_told(telling, channel):
                before = last.get(telling.alert_id, telling)
                last[telling.alert_id] = max(before, telling, key=_sequence)
        states = self._ledger.states.values()
        still = {s.alert_id: s.severity for s in states if s.is_open}
        # What got better and could not be told, as in a silence, is left to be forgotten.
        return self._known(
            {
                f"{alert}:{told.sequence}"
                for alert, told in last.items()
                if (severity := still.get(alert))
                and severity.rank >= told.severity.rank
            }
        )

    def _known(self, keys: Collection[str]) -> list[Notice]:
        """Return the notices, read once and then kept as long as they are asked for."""
        kept = {key: self._notices[key] for key in keys if key in self._notices}
        missing = [key for key in keys if key not in kept]
        if missing:
            try:
                kept.update(self._find(missing))
            except DATABASE_ERRORS:
                logger.debug("alerts cannot be read to be resent", exc_info=True)
        self._notices = kept
        return list(kept.values())


def _sequence(telling: Telling) -> int:
    return telling.sequence


def _is_told(telling: Telling, channel: str) -> bool:
    is_sent = telling.state is Outcome.SENT and telling.is_alarm
    return is_sent and telling.channel == channel
