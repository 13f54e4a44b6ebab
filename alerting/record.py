"""What one evaluation leaves behind, to be kept all together or not at all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from alerting.notice import Notice
from alerting.notifications.muting import Hold
from alerting.notifications.policy import Cancellation
from alerting.notifications.telling import Telling

__all__ = ["Record"]


@dataclass(frozen=True, slots=True)
class Record:
    """The notices of one evaluation, what is to be told of them, and what is not.

    `held` are tellings of earlier that are put off, or not any more.
    """

    notices: tuple[Notice, ...] = ()
    tellings: tuple[Telling, ...] = ()
    cancelled: tuple[Cancellation, ...] = ()
    held: tuple[Hold, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Tell whether there is nothing to keep."""
        return not (self.notices or self.tellings or self.cancelled or self.held)

    def applied(
        self, tellings: Mapping[str, Telling], *, now: float
    ) -> dict[str, Telling]:
        """Return tellings by key as they are once the record is kept."""
        told = dict(tellings)
        for each in self.cancelled:
            if each.key in told:
                told[each.key] = told[each.key].skipped(each.reason, at=now)
        for hold in self.held:
            if hold.key in told:
                told[hold.key] = told[hold.key].held(hold.until, hold.reason)
        return told | {telling.key: telling for telling in self.tellings}

    def to_json(self) -> dict[str, Any]:
        """Return the record as JSON knows it."""
        return {
            "notices": [notice.to_json() for notice in self.notices],
            "tellings": [telling.to_json() for telling in self.tellings],
            "cancelled": [[each.key, each.reason] for each in self.cancelled],
            "held": [[each.key, each.until, each.reason] for each in self.held],
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Record:
        """Build the record that `to_json` returned; raise `ValueError` otherwise."""
        try:
            return cls(
                tuple(Notice.from_json(notice) for notice in data["notices"]),
                tuple(Telling.from_json(telling) for telling in data["tellings"]),
                tuple(Cancellation(key, reason) for key, reason in data["cancelled"]),
                tuple(Hold(*each) for each in data.get("held", ())),
            )
        except (KeyError, TypeError) as error:
            raise ValueError(f"not a record: {error!r}") from None
