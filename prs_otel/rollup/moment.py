"""The moment up to which a reader is answered, and by which two answers are the same.

A window that ended now would make every answer a new one. So it ends where the last stored bucket
ends, which leaves nothing out and holds still until something is stored; and when nothing has
been for a while, at the latest multiple of ten seconds, so that what is old leaves the window.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from prs_otel.store.base import Store

STEADY: Final = 10.0
"""Seconds for which the end of a window may stand still; longer than two flushes are apart."""


@dataclass(frozen=True, slots=True)
class Moment:
    """Name one state of a store, the same in every process, and when answers from it end."""

    state: str
    end: float


def moment(store: Store, *, now: float) -> Moment:
    """Return the moment to answer for. Raises ``StoreError``."""
    with store.reading() as reader:
        tip = reader.tip(now)
        known_since, generation = reader.known_since, reader.generation
    # Merging a bucket adds one, and dropping one is noted: so these change with the content.
    state = f"{generation}:{tip.newest}:{tip.rows}:{known_since}"
    is_recent = now - tip.end <= STEADY
    return Moment(state, tip.end if is_recent else now // STEADY * STEADY)
