"""The digests of the buckets read last.

Buckets never change, so a reader keeps their digests by id, and only buckets that came since are
decoded.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Collection, Hashable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol, TypeVar

if TYPE_CHECKING:
    from _thread import LockType
    from contextlib import AbstractContextManager

    from prs_otel.rollup.digest import Merged, Selection
    from prs_otel.store.base import Reader

    Reading = Callable[[], AbstractContextManager[Reader]]

_DIGESTS_KEPT: Final = 2_000
_TRENDS_KEPT: Final = 2
_CHUNK: Final = 64
_BREATHE_AFTER: Final = 4
"""Buckets read at a stretch, which takes a few milliseconds at most."""

StoredT = TypeVar("StoredT")
DigestT = TypeVar("DigestT")
_DigestT_co = TypeVar("_DigestT_co", covariant=True)


class Wanted(Hashable, Protocol[StoredT, _DigestT_co]):
    """Say what is wanted of a bucket: which parts are read, and what is made of them."""

    def read(self, reader: Reader, ids: Sequence[int]) -> Mapping[int, StoredT]:
        """Return the parts of each bucket that still exists, as they are stored."""
        ...

    def digest(self, stored: StoredT) -> _DigestT_co:
        """Return what is kept of a bucket."""
        ...


class Listing(NamedTuple):
    """Name the buckets that a store holds at one moment."""

    generation: str
    ids: Collection[int]


class Digests:
    """Keep the digests of the buckets read last. Thread-safe, and quick to let others pass."""

    def __init__(
        self, *, new_lock: Callable[[], LockType], breathe: Callable[[], object]
    ) -> None:
        self._breathe = breathe
        # Protects the tables, never while a bucket is read.
        self._lock = new_lock()
        self._generation = ""
        self._kept: OrderedDict[tuple[int, Hashable], Any] = OrderedDict()
        self._merged: OrderedDict[Selection, Merged] = OrderedDict()

    def __len__(self) -> int:
        return len(self._kept)

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._kept.clear()
            self._merged.clear()

    def of(
        self, listing: Listing, wanted: Wanted[StoredT, DigestT], reading: Reading
    ) -> dict[int, DigestT] | None:
        """Return the digests of these buckets, `None` when some of them have gone meanwhile.

        Those not known yet are read in portions, each in a snapshot of its own, so that nobody
        waits long for the store.
        """
        found, unknown = self._known(listing, wanted)
        for first in range(0, len(unknown), _CHUNK):
            chunk = unknown[first : first + _CHUNK]
            with reading() as reader:
                if reader.generation != listing.generation:
                    return None
                stored = wanted.read(reader, chunk)
            if len(stored) < len(chunk):
                return None
            for row_id, parts in stored.items():
                found[row_id] = wanted.digest(parts)
                self._keep((row_id, wanted), found[row_id], listing.generation)
                if len(found) % _BREATHE_AFTER == 0:
                    self._breathe()
        return found

    def merged(self, listing: Listing, selection: Selection) -> Merged:
        """Return the points of the selection's last trend."""
        with self._lock:
            is_current = listing.generation == self._generation
            return self._merged.get(selection, {}) if is_current else {}

    def keep_merged(
        self, listing: Listing, selection: Selection, merged: Merged
    ) -> None:
        """Keep the points of a trend for the next one of the same selection."""
        with self._lock:
            if listing.generation != self._generation:
                return
            self._merged[selection] = merged
            self._merged.move_to_end(selection)
            if len(self._merged) > _TRENDS_KEPT:
                self._merged.popitem(last=False)

    def _known(
        self, listing: Listing, wanted: Wanted[StoredT, DigestT]
    ) -> tuple[dict[int, DigestT], list[int]]:
        found: dict[int, DigestT] = {}
        unknown: list[int] = []
        with self._lock:
            if listing.generation != self._generation:
                self._kept.clear()
                self._merged.clear()
                self._generation = listing.generation
            for row_id in listing.ids:
                digest = self._kept.get((row_id, wanted))
                if digest is None:
                    unknown.append(row_id)
                else:
                    found[row_id] = digest
                    self._kept.move_to_end((row_id, wanted))
        return found, unknown

    def _keep(self, key: tuple[int, Hashable], digest: object, generation: str) -> None:
        with self._lock:
            if generation == self._generation:
                self._kept[key] = digest
                if len(self._kept) > _DIGESTS_KEPT:
                    self._kept.popitem(last=False)
