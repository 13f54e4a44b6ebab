"""Draw a window of a store as time series, from digests that are kept for the next time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Generic

from prs_otel.rollup import lines, trends
from prs_otel.rollup.accumulator import wanted_rows
from prs_otel.rollup.digests import Digests, DigestT, Listing, StoredT
from prs_otel.store.base import StoreError

if TYPE_CHECKING:
    from _thread import LockType
    from collections.abc import Mapping

    from prs_otel.rollup.digest import Selection
    from prs_otel.rollup.digests import Wanted
    from prs_otel.rollup.lines import Lines
    from prs_otel.rollup.trends import Stretch, Trend
    from prs_otel.store.base import Row, Store

IDLE_AFTER: Final = 300.0
"""Seconds after which what nobody has asked for is let go of."""
_ATTEMPTS: Final = 5
"""How often reading begins anew when buckets were merged meanwhile."""


@dataclass(frozen=True, slots=True)
class _Found(Generic[DigestT]):
    """The buckets of a stretch, and the digest of each."""

    listing: Listing
    stretch: Stretch
    rows: Mapping[int, Row]
    digests: Mapping[int, DigestT]

    def buckets(self) -> list[tuple[Row, DigestT]]:
        return [(self.rows[each], digest) for each, digest in self.digests.items()]


class Drawing:
    """Read one store for who draws it. Thread-safe, and quick to let others pass."""

    def __init__(
        self,
        store: Store,
        *,
        new_lock: Callable[[], LockType],
        breathe: Callable[[], object],
    ) -> None:
        self._store = store
        self.digests = Digests(new_lock=new_lock, breathe=breathe)
        self._drawn_at = -IDLE_AFTER

    def trend(
        self, selection: Selection, *, seconds: float, step: int | None, now: float
    ) -> Trend:
        """Return the last ``seconds`` cut into points. Raises ``StoreError``."""
        found = self._found(selection, seconds=seconds, now=now)
        drawn, merged = trends.trend(
            found.buckets(),
            found.stretch,
            step=trends.step_of(found.rows.values(), seconds=seconds, asked=step),
            before=self.digests.merged(found.listing, selection),
        )
        self.digests.keep_merged(found.listing, selection, merged)
        return drawn

    def lines(self, *, seconds: float, step: int, now: float) -> Lines:
        """Return what each endpoint was asked in each point. Raises ``StoreError``."""
        found = self._found(lines.ENDPOINTS, seconds=seconds, now=now)
        return lines.lines(
            found.buckets(),
            found.stretch,
            step=trends.step_of(found.rows.values(), seconds=seconds, asked=step),
        )

    def forget_idle(self, *, now: float) -> bool:
        """Let go of everything when nothing was drawn in five minutes; tell if it did."""
        is_idle = bool(self.digests) and abs(now - self._drawn_at) > IDLE_AFTER
        if is_idle:
            self.digests.clear()
        return is_idle

    def _found(
        self, wanted: Wanted[StoredT, DigestT], *, seconds: float, now: float
    ) -> _Found[DigestT]:
        self._drawn_at = now
        for _ in range(_ATTEMPTS):
            with self._store.reading() as reader:
                rows = wanted_rows(reader.rows(), seconds=seconds, now=now)
                listing = Listing(reader.generation, rows.keys())
                stretch = trends.Stretch(now - seconds, now, reader.known_since)
            digests = self.digests.of(listing, wanted, self._store.reading)
            if digests is not None:
                return _Found(listing, stretch, rows, digests)
        raise StoreError("the store changes faster than it can be read")
