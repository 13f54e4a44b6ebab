"""One notice on one channel: whether it is told, when, to whom, and why not."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final, cast

from pydantic import TypeAdapter

from alerting.alert import Kind
from alerting.rules import Severity  # noqa: TC001 - pydantic evaluates it

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["ALARMS", "GROUPED", "Group", "Outcome", "Telling"]

# The kinds that alarm somebody; a resolution is told to exactly those.
ALARMS: Final = frozenset(
    {Kind.FIRING, Kind.ESCALATED, Kind.DEESCALATED, Kind.REMINDER}
)

Group = tuple[str, str]
GROUPED: Final = "waits for other alerts"
"""What the reason of a telling begins with that is to share its message."""


class Outcome(StrEnum):
    """What has become of a telling."""

    DUE = "due"
    SENT = "sent"
    DEAD = "dead"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Telling:
    """One delivery. Times are epoch seconds, 0 for never.

    `batch` names the message it goes into, once that is known; `reason` says why it
    waits, was collapsed into a digest, or is not told at all; `accepted` are those of the
    recipients who have it from an attempt that failed for others. `settled_at` is when it
    was sent or given up; of one that is tried again and again, when the first attempt failed.
    `source` is the other system whose alert it is.
    """

    key: str
    alert_id: str
    sequence: int
    fingerprint: str
    rule: str
    channel: str
    kind: Kind
    severity: Severity
    created_at: float
    state: Outcome = Outcome.DUE
    reason: str = ""
    next_at: float = 0.0
    attempts: int = 0
    claimed_until: float = 0.0
    claimed_by: str = ""
    batch: str = ""
    is_digest: bool = False
    recipients: tuple[str, ...] = ()
    accepted: tuple[str, ...] = ()
    last_error: str = ""
    settled_at: float = 0.0
    source: str = ""

    @property
    def group(self) -> Group:
        """What shares an hourly limit and a digest: one rule, or one other system."""
        return (self.source, "") if self.source else ("", self.rule)

    @property
    def is_resolution(self) -> bool:
        """Tell whether it says that an alert is over."""
        return self.kind is Kind.RESOLVED

    @property
    def is_alarm(self) -> bool:
        """Tell whether it alarms somebody."""
        return self.kind in ALARMS

    @property
    def is_untried_alarm(self) -> bool:
        """Tell whether it is an alarm that is to be sent, and nobody has tried to yet."""
        return self.is_alarm and self.state is Outcome.DUE and not self.attempts

    @property
    def counts(self) -> bool:
        """Tell whether somebody was told, or still is to be."""
        return self.state in {Outcome.DUE, Outcome.SENT}

    def is_waiting(self, now: float) -> bool:
        """Tell whether nobody has tried to send it and it is not yet time to."""
        is_untouched = self.state is Outcome.DUE and not self.attempts
        return is_untouched and self.next_at > now

    def skipped(self, reason: str, *, at: float) -> Telling:
        """Return the telling as one that is not told, for `reason`."""
        return replace(self, state=Outcome.SKIPPED, reason=reason, settled_at=at)

    def held(self, until: float, reason: str) -> Telling:
        """Return the telling as one that waits, unless somebody has tried to send it."""
        if self.attempts or self.state is not Outcome.DUE:
            return self
        return replace(self, next_at=until, reason=reason)

    def to_json(self) -> dict[str, Any]:
        """Return the telling as JSON knows it."""
        return cast("dict[str, Any]", _ADAPTER.dump_python(self, mode="json"))

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Telling:
        """Build the telling that `to_json` returned; raise `ValueError` otherwise."""
        return _ADAPTER.validate_python(data)


_ADAPTER: Final = TypeAdapter(Telling)
