"""Send what is due, one message at a time, and write down what became of it.

Runs on its own thread: a mail server that hangs holds up other messages, never an
evaluation.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from alerting.channels.availability import why_unavailable
from alerting.channels.base import DeliveryError
from alerting.notifications.message import Message, line
from alerting.notifications.outcome import Failure, Settlement, failed, sent
from alerting.notifications.telling import Outcome
from alerting.text import described

if TYPE_CHECKING:
    from alerting.channels.base import Channel
    from alerting.outbox import Outbox, Parcel
    from alerting.resending import Resending

__all__ = ["ChannelHealth", "Sender"]

logger = logging.getLogger("prs_otel")

# A claim with less time left than this may run out before the message is sent.
MARGIN: Final = 30.0


@dataclass(frozen=True, slots=True)
class ChannelHealth:
    """How a channel did lately: unknown, ok, skipped (see the reason), or error."""

    health: str = "unknown"
    last_error: str = ""
    last_success_at: float | None = None
    failing_since: float | None = None
    dead: int = 0


class Sender:
    """Sends for one evaluator. `clock` tells when a message has been sent."""

    def __init__(
        self,
        outbox: Outbox,
        channels: Mapping[str, Channel],
        *,
        clock: Callable[[], float],
        project: str = "",
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._outbox = outbox
        self._channels = channels
        self._clock = clock
        self._project = project
        self._jitter = jitter
        self._health = {name: ChannelHealth() for name in channels}

    def health(self) -> dict[str, ChannelHealth]:
        """Return how every channel is doing."""
        return {
            name: replace(health, health="skipped", last_error=reason)
            if (reason := why_unavailable(self._channels[name]))
            else health
            for name, health in list(self._health.items())
        }

    @contextmanager
    def session(self) -> Iterator[None]:
        """Let channels keep a connection for what is sent within the block."""
        with ExitStack() as stack:
            for channel in self._channels.values():
                session = getattr(channel, "session", None)
                if session is not None:
                    stack.enter_context(session())
            yield

    def resend(self, resending: Resending) -> None:
        """Say once more what fires, on channels whose receivers would forget it."""
        for name, channel, notices in resending.due(now=self._clock()):
            try:
                channel.resend(notices)
            except Exception as error:  # noqa: BLE001 - a channel may be anybody's code
                resending.failed(name, now=self._clock())
                self._fail(name, _failure(error).error)
            else:
                self._change(name, health="ok", last_success_at=self._clock())

    def send_next(self) -> bool:
        """Send one message if one is due, and tell whether there was one."""
        parcel = self._outbox.claim(now=self._clock())
        if parcel is None:
            return False
        if self._clock() > parcel.claim.until - MARGIN:
            # This process was frozen meanwhile. Another may send it any moment.
            return True
        settlement = self._attempt(parcel)
        self._outbox.settle(parcel, settlement)
        self._note(parcel, settlement)
        return True

    def _attempt(self, parcel: Parcel) -> Settlement:
        before = parcel.tellings[0].accepted
        try:
            reached = self._send(parcel)
        except Exception as error:  # noqa: BLE001 - a channel may be anybody's code
            failure = _failure(error)
        else:
            return sent(_merged(before, reached), at=self._clock())
        at = self._clock()
        return failed(
            replace(failure, accepted=_merged(before, failure.accepted)),
            attempts=max(telling.attempts for telling in parcel.tellings),
            age=at - min(telling.settled_at or at for telling in parcel.tellings),
            at=at,
            jitter=self._jitter(),
        )

    def _send(self, parcel: Parcel) -> tuple[str, ...]:
        first = parcel.tellings[0]
        channel = self._channels.get(first.channel)
        if channel is None:
            raise DeliveryError("the channel is no longer configured", permanent=True)
        recipients = first.recipients if first.is_resolution else channel.recipients()
        if not recipients:
            raise DeliveryError(why_unavailable(channel) or "there is nobody to tell")
        missing = tuple(each for each in recipients if each not in first.accepted)
        if not missing:
            return ()
        message = Message(
            batch=parcel.claim.batch,
            notices=parcel.notices,
            recipients=missing,
            is_digest=first.is_digest,
            project=self._project,
        )
        return channel.send(message)

    def _note(self, parcel: Parcel, settlement: Settlement) -> None:
        name = parcel.tellings[0].channel
        if settlement.state is Outcome.SENT and not settlement.last_error:
            self._change(name, health="ok", last_success_at=settlement.at)
            return
        is_over = settlement.state is not Outcome.DUE
        self._fail(
            name, settlement.last_error, is_dead=settlement.state is Outcome.DEAD
        )
        logger.log(
            logging.ERROR if is_over else logging.WARNING,
            "%s %s: %s (%s)",
            "gave up telling" if is_over else "could not yet tell",
            name,
            line(parcel.notices[0]) if parcel.notices else parcel.claim.batch,
            settlement.last_error,
        )

    def _fail(self, name: str, error: str, *, is_dead: bool = False) -> None:
        before = self._health.get(name, ChannelHealth())
        since = self._clock() if before.failing_since is None else before.failing_since
        self._change(
            name,
            health="error",
            last_error=error,
            failing_since=since,
            dead=before.dead + is_dead,
        )

    def _change(self, name: str, **changes: Any) -> None:  # noqa: ANN401 - any field
        fresh = {"last_error": "", "failing_since": None, **changes}
        # A channel that is no longer configured has no health.
        if name in self._health:
            self._health[name] = replace(self._health[name], **fresh)


def _failure(error: Exception) -> Failure:
    if isinstance(error, DeliveryError):
        return Failure(
            str(error), error.permanent, error.retry_after, accepted=error.accepted
        )
    return Failure(described(error))


def _merged(before: tuple[str, ...], now: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*before, *now)))
