"""What a store keeps and promises, whatever it keeps it in.

Every row is an immutable bucket. A worker appends deltas (level 0); the leader replaces
a set of rows by their merge. Nothing is ever changed in place, so a reader may remember
by its id what it has decoded.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, NamedTuple, Protocol, TypeAlias

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

Part: TypeAlias = Literal["cells", "samples", "gauges", "totals"]

LEADER: Final = "leader"
BUSY_TIMEOUT: Final = 5.0
"""Seconds a call waits for another process or thread before it gives up."""
TEXT_REFRESH: Final = 300.0
"""Seconds before the last use of a known text is noted again."""
TEXTS_SHARE: Final = 8
"""Texts may have this part of the quota: the rest is for the history."""
DEFAULT_QUOTA: Final = 128 * 1024 * 1024


class StoreError(Exception):
    """Report that the store could not do what was asked; the message is for people."""


class TooLargeError(StoreError):
    """Report that the quota does not allow so much at once, however often it is tried."""


@dataclass(frozen=True, slots=True)
class Bucket:
    """What is written: a worker's delta (level 0) or a merge of several buckets.

    `level` is the width in seconds. The four parts are opaque here. `slowest` is the
    longest sample of each kind in nanoseconds, which lets a reader skip rows.
    """

    level: int
    start: float
    end: float
    cells: bytes
    samples: bytes
    gauges: bytes
    slowest: Mapping[str, int]
    totals: bytes = b""

    @property
    def size(self) -> int:
        """Return the bytes of all parts."""
        return sum(map(len, (self.cells, self.samples, self.gauges, self.totals)))


@dataclass(frozen=True, slots=True)
class Row:
    """A stored bucket without its data.

    `replaces` names the rows it is the merge of; it is empty for a delta and where the
    merge folded series, so that a reader has to read it instead of relabelling.
    """

    id: int
    level: int
    start: float
    end: float
    size: int
    slowest: Mapping[str, int]
    replaces: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Beat:
    """What a worker says of itself with every append."""

    worker: str
    host: str
    pid: int
    started_at: float
    seen_at: float
    figures: Mapping[str, float]
    failures: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Removed:
    """What has gone for good; `size` is the bytes of the buckets."""

    buckets: int = 0
    size: int = 0
    texts: int = 0
    workers: int = 0


@dataclass(frozen=True, slots=True)
class Lease:
    """Who may lead until when; `epoch` grows with every change of holder."""

    name: str
    holder: str
    host: str
    pid: int
    epoch: int
    expires_at: float


class Tip(NamedTuple):
    """What changes whenever rows do: how many there are, the newest, and where they end.

    `end` is of the rows that had ended at the moment asked for, 0 without any.
    """

    rows: int
    newest: int
    end: float


class Reader(Protocol):
    """One consistent snapshot, valid inside the `reading()` block that made it."""

    @property
    def known_since(self) -> float:
        """Return since when nothing was dropped, at most since the store began."""
        ...

    @property
    def generation(self) -> str:
        """Return the identity of this store; ids of another one mean nothing here."""
        ...

    def rows(self) -> list[Row]:
        """Return every row, by id."""
        ...

    def tip(self, now: float) -> Tip:
        """Return where the rows end, at a fraction of the cost of reading them."""
        ...

    def read(self, part: Part, ids: Sequence[int]) -> dict[int, bytes]:
        """Return one part of the rows that exist, `b""` where a row has none."""
        ...

    def rolling(self) -> tuple[tuple[int, ...], bytes] | None:
        """Return the leader's rolling total: the ids merged into it, and its cells."""
        ...

    def lifetime(self) -> tuple[int, bytes] | None:
        """Return what was counted since the store began: the newest row in it, its cells.

        Every delta is either in it or still a row of its own; where that cannot be said
        any more there is none.
        """
        ...

    def texts(self, fingerprints: Collection[str]) -> dict[str, str]:
        """Return the text of each fingerprint that is known."""
        ...

    def beats(self) -> list[Beat]:
        """Return the latest beat of every worker that is not forgotten."""
        ...

    def lease(self, name: str) -> Lease | None:
        """Return the lease as last taken, expired or not; None when released."""
        ...


class Store(Protocol):
    """A place that every worker appends to and any process reads.

    Thread-safe and, unless said otherwise, shared between processes. Each method raises
    `StoreError` for whatever goes wrong underneath, and works again by itself once the
    cause is gone.
    """

    @property
    def url(self) -> str:
        """Return the URL that opens this store."""
        ...

    def generation(self) -> str:
        """Return the identity of the stored data, `""` when it cannot be reached."""
        ...

    def append(  # noqa: PLR0913 - one flush of one worker
        self,
        bucket: Bucket | None,
        *,
        worker: str,
        sequence: int,
        beat: Beat,
        texts: Mapping[str, str],
        timeout: float = BUSY_TIMEOUT,
    ) -> None:
        """Add a delta once, however often it is repeated; without one, only the beat.

        `sequence` grows with every delta of a worker. Raises `ValueError` for times no
        clock should give, `TooLargeError` for more than the store takes at once.
        """
        ...

    def reading(self) -> AbstractContextManager[Reader]:
        """Open a snapshot; not to be nested within one thread."""
        ...

    def replace(
        self,
        old: Sequence[int],
        new: Bucket | None,
        *,
        keeps_series: bool,
        epoch: int,
        lease: str = LEADER,
    ) -> int | None:
        """Replace rows by their merge and return its id; None when the race was lost.

        Lost means that a row has gone or that the lease has another epoch; nothing is
        changed then. Without `new` the rows expire and the answer is 0.
        """
        ...

    def write_rolling(self, ids: Sequence[int], cells: bytes, *, epoch: int) -> bool:
        """Keep the leader's rolling total; False when the lease has another epoch."""
        ...

    def write_lifetime(self, up_to: int, cells: bytes, *, epoch: int) -> bool:
        """Keep what was counted up to a row; False when that would not be true.

        It is not when the lease has another epoch, the row has gone, as it does by a
        reset, or what is kept reaches as far already. A delta that goes before it is in
        there takes the whole lifetime with it.
        """
        ...

    def forget(self, *, texts_before: float, beats_before: float) -> Removed:
        """Drop the texts and the workers last seen before these times."""
        ...

    def expire(self, *, ended_before: float) -> Removed:
        """Drop the rows that ended before a time, whoever leads."""
        ...

    def reset(self, *, at: float) -> Removed:
        """Drop every row and all totals; what began before `at` counts no more.

        Nothing before `at` is known afterwards. Workers and their sequences stay, so
        that a repeated append still counts once.
        """
        ...

    def evict(self, *, quota_bytes: int) -> Removed:
        """Drop the texts longest unused and the oldest rows until the rest fits."""
        ...

    def acquire(  # noqa: PLR0913 - who asks, for how long, and when
        self, name: str, *, holder: str, host: str, pid: int, ttl: float, now: float
    ) -> Lease | None:
        """Take or renew a lease; None while somebody else holds it."""
        ...

    def release(self, name: str, *, holder: str) -> None:
        """Give a lease up, if it is ours."""
        ...

    def put(self, key: str, value: bytes) -> None:
        """Keep a small document."""
        ...

    def get(self, key: str) -> bytes | None:
        """Return a document, None when there is none."""
        ...

    def keys(self, prefix: str) -> list[str]:
        """Return the keys that start with `prefix`, sorted."""
        ...

    def delete(self, key: str) -> None:
        """Drop a document, if it exists."""
        ...

    def status(self) -> dict[str, object]:
        """Return what people want to know of the store; never raises."""
        ...

    def close(self) -> None:
        """Let go of connections; the next call opens them again."""
        ...

    def forget_connections(self) -> None:
        """Drop what a child inherited by fork, leaving the parent's side untouched."""
        ...
