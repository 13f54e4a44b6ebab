from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from prs_otel.store.base import Beat, Bucket, Lease, Store
from prs_otel.store.sqlite import SqliteStore

NOW = 1_700_000_000.0
WORKER = "a" * 32


class OpenStore(Protocol):
    """Open a store that is closed when the test ends."""

    def __call__(self, path: Path, **options: Any) -> SqliteStore: ...


def bucket(
    cells: bytes = b"cells",
    *,
    level: int = 0,
    end: float = NOW,
    samples: bytes = b"",
    gauges: bytes = b"",
) -> Bucket:
    return Bucket(
        level=level,
        start=end - 5,
        end=end,
        cells=cells,
        samples=samples,
        gauges=gauges,
        slowest={"request": 7},
    )


def beat(worker: str = WORKER, *, seen_at: float = NOW) -> Beat:
    return Beat(
        worker=worker,
        host="web-1",
        pid=42,
        started_at=NOW - 60,
        seen_at=seen_at,
        figures={"process.cpu.utilization": 0.5},
        failures={"processor.on_end": 2},
    )


def append(
    store: Store,
    sequence: int,
    stored: Bucket | None = None,
    *,
    worker: str = WORKER,
    texts: Mapping[str, str] | None = None,
    at: float = NOW,
) -> None:
    """Append a bucket, or one that holds its own sequence."""
    store.append(
        stored or bucket(f"{worker}:{sequence}".encode(), end=at),
        worker=worker,
        sequence=sequence,
        beat=beat(worker, seen_at=at),
        texts=texts or {},
    )


def ids(store: Store) -> list[int]:
    with store.reading() as reader:
        return [row.id for row in reader.rows()]


def cells(store: Store) -> list[bytes]:
    """Return the cells of all rows, by id."""
    with store.reading() as reader:
        return list(reader.read("cells", [row.id for row in reader.rows()]).values())


def lead(store: Store, *, holder: str = WORKER, now: float = NOW) -> Lease:
    lease = store.acquire(
        "leader", holder=holder, host="web-1", pid=42, ttl=10.0, now=now
    )
    assert lease is not None
    return lease
