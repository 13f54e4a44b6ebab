"""The evaluator's memory as a document, for the evaluator after it.

The database knows which alerts are open; only the document knows how long a pending
one has waited, and what was told while the database was away.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from pydantic import TypeAdapter

from alerting.alert import AlertState, State
from alerting.notifications.telling import Telling  # noqa: TC001 - pydantic evaluates it

if TYPE_CHECKING:
    from alerting.evaluator import Key
    from alerting.notice import Notice

__all__ = ["Snapshot", "reconciled"]

logger = logging.getLogger("prs_otel")


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What an evaluator knew after its last evaluation; `holder` says which it was."""

    holder: str = ""
    states: tuple[AlertState, ...] = ()
    tellings: tuple[Telling, ...] = field(default=())

    def to_bytes(self) -> bytes:
        """Return the snapshot as JSON."""
        return _ADAPTER.dump_json(self)

    @classmethod
    def from_bytes(cls, document: bytes | None) -> Snapshot:
        """Read a snapshot; one that is missing or cannot be read is empty."""
        if document is None:
            return cls()
        try:
            return _ADAPTER.validate_json(document)
        except ValueError as error:
            logger.warning("what the last evaluator knew cannot be read: %s", error)
            return cls()


_ADAPTER: Final = TypeAdapter(Snapshot)


def reconciled(
    saved: Iterable[AlertState], notices: Iterable[Notice], *, is_complete: bool
) -> dict[Key, AlertState]:
    """Return the states to go on with.

    A notice says what has been recorded; a saved state of the same episode that is no
    older knows the time it has served as well. When the notices are complete, an alert
    they do not know is not open.
    """
    remembered = {(state.rule, state.labels): state for state in saved}
    states = {
        key: state
        for key, state in remembered.items()
        if not (is_complete and state.is_open)
    }
    for notice in sorted(notices, key=lambda each: each.at):
        key = (notice.name, notice.labels)
        state = remembered.get(key)
        is_same = state is not None and state.alert_id == notice.alert_id
        if state is not None and is_same and state.sequence >= notice.sequence:
            states[key] = state
        elif notice.state is not State.RESOLVED:
            states[key] = notice.to_state()
        elif key in states and states[key].alert_id == notice.alert_id:
            del states[key]
    return states
