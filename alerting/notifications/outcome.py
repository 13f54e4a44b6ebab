"""What becomes of a message after an attempt: sent, tried again later, or given up.

Pure: the randomness of the backoff is an argument. Full jitter spreads the attempts of
many messages evenly, so that a mail server that comes back is not met by all at once.
How often is bounded by the backoff alone: an outage of a night costs no alert.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from alerting.notifications.telling import Outcome, Telling
from alerting.text import ERROR_LIMIT, clean

__all__ = ["AGE_LIMIT", "Failure", "Settlement", "failed", "sent"]

AGE_LIMIT: Final = 86_400.0  # seconds after the first attempt that failed
FIRST_WAIT: Final = 10.0
LONGEST_WAIT: Final = 900.0
_DOUBLINGS: Final = 7  # until the longest wait; beyond, a float ends one day
SHORTEST_WAIT: Final = 1.0


@dataclass(frozen=True, slots=True)
class Failure:
    """Why an attempt failed, in words for people and without secrets.

    `accepted` are all who have the message by now.
    """

    error: str
    is_permanent: bool = False
    retry_after: float | None = None
    accepted: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Settlement:
    """The result of an attempt, the same for every telling in the message.

    One that was sent and has an error has not reached everybody, and never will.
    """

    state: Outcome
    at: float
    next_at: float = 0.0
    last_error: str = ""
    recipients: tuple[str, ...] = ()
    accepted: tuple[str, ...] = ()

    def apply(self, telling: Telling) -> Telling:
        """Return `telling` as it is after the attempt."""
        is_over = self.state is not Outcome.DUE
        return replace(
            telling,
            state=self.state,
            next_at=telling.next_at if is_over else self.next_at,
            last_error=self.last_error,
            recipients=self.recipients or telling.recipients,
            accepted=self.accepted or telling.accepted,
            settled_at=self.at if is_over else telling.settled_at or self.at,
            claimed_until=0.0,
            claimed_by="",
        )


def sent(recipients: tuple[str, ...], *, at: float) -> Settlement:
    """Return the result of an attempt that succeeded."""
    return Settlement(Outcome.SENT, at, recipients=recipients)


def failed(
    failure: Failure, *, attempts: int, age: float, at: float, jitter: float
) -> Settlement:
    """Return the result of the `attempts`-th attempt, `age` seconds after the first.

    `jitter` is from 0 to 1. The last attempt is made when a day is over, whatever the
    receiver asks for.
    """
    error = clean(failure.error[:ERROR_LIMIT])
    if failure.is_permanent or age >= AGE_LIMIT:
        # Whoever has it hears of its end, too.
        state = Outcome.SENT if failure.accepted else Outcome.DEAD
        return Settlement(state, at, last_error=error, recipients=failure.accepted)
    longest = min(FIRST_WAIT * 2 ** min(attempts - 1, _DOUBLINGS), LONGEST_WAIT)
    wait = max(jitter * longest, SHORTEST_WAIT, failure.retry_after or 0.0)
    wait = min(wait, max(AGE_LIMIT - age, SHORTEST_WAIT))
    return Settlement(
        Outcome.DUE,
        at,
        next_at=at + wait,
        last_error=error,
        accepted=failure.accepted,
    )
