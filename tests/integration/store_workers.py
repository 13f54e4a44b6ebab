"""What the processes of the store's tests do, and how they are started."""

from __future__ import annotations

import multiprocessing
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from multiprocessing.process import BaseProcess
from multiprocessing.synchronize import Barrier
from typing import Any, Final

from prs_otel.store import open_store
from prs_otel.store.base import Beat, Bucket, Store

PROCESSES: Final = multiprocessing.get_context("spawn")
DEADLINE: Final = 60.0


@contextmanager
def running(
    calls: Sequence[tuple[Callable[..., None], tuple[Any, ...]]],
) -> Iterator[list[BaseProcess]]:
    """Run each call in a process of its own for the length of the block."""
    processes = [PROCESSES.Process(target=work, args=args) for work, args in calls]
    for process in processes:
        process.start()
    try:
        yield list(processes)
    finally:
        for process in processes:
            process.kill()
            process.join()


def finish(processes: Sequence[BaseProcess]) -> None:
    """Wait for processes to end well."""
    deadline = time.monotonic() + DEADLINE
    for process in processes:
        process.join(max(0.0, deadline - time.monotonic()))
    assert [process.exitcode for process in processes] == [0] * len(processes)


def append(store: Store, worker: str, sequence: int) -> None:
    """Append a delta that says which one it is."""
    now = time.time()
    bucket = Bucket(
        level=0,
        start=now - 5,
        end=now,
        cells=f"{worker}:{sequence} ".encode(),
        samples=b"",
        gauges=b"",
        slowest={},
    )
    beat = Beat(worker, "host", os.getpid(), now, now, {}, {})
    store.append(bucket, worker=worker, sequence=sequence, beat=beat, texts={})


def contents(store: Store) -> list[str]:
    """Return the deltas that the store holds, merged or not, in no order."""
    with store.reading() as reader:
        ids = [row.id for row in reader.rows()]
        cells = b"".join(reader.read("cells", ids).values())
    return cells.decode().split()


def write(url: str, worker: str, count: int) -> None:
    """Append deltas, each of them twice, as a worker does that is unsure."""
    store = open_store(url)
    for sequence in range(count):
        append(store, worker, sequence)
        append(store, worker, sequence)
        time.sleep(0.005)
    store.close()


def compact_forever(url: str, holder: str) -> None:
    """Merge whatever is there into one row, while leading, until killed."""
    store = open_store(url)
    while True:
        now = time.time()
        lease = store.acquire(
            "leader", holder=holder, host="host", pid=os.getpid(), ttl=0.2, now=now
        )
        if lease is None:
            time.sleep(0.01)
        else:
            _merge_all(store, lease.epoch, now)


def _merge_all(store: Store, epoch: int, now: float) -> None:
    with store.reading() as reader:
        ids = [row.id for row in reader.rows()]
        cells = b"".join(reader.read("cells", ids).values())
    merge = Bucket(10, now - 10, now, cells, b"", b"", {})
    # Long enough for another leader to take over in between, now and then.
    time.sleep(0.02)
    store.replace(ids, merge, keeps_series=True, epoch=epoch)


def recover(url: str, worker: str, count: int, barrier: Barrier) -> None:
    """Append to a file that is broken between the first and the second half."""
    store = open_store(url)
    store.generation()
    append(store, worker, 0)
    barrier.wait(DEADLINE)  # everybody is connected
    barrier.wait(DEADLINE)  # the file is broken
    for sequence in range(1, count + 1):
        append(store, worker, sequence)
    store.close()
