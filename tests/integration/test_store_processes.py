from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from prs_otel.store import open_store
from prs_otel.store.lease import is_alive
from tests.integration import store_workers
from tests.integration.store_workers import DEADLINE, PROCESSES, contents, running
from tests.support.wait import wait_until

pytestmark = pytest.mark.timeout(180)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store" / "deltas.sqlite3"


def test_every_delta_counts_once_though_leaders_are_killed(path: Path) -> None:
    url = f"sqlite:///{path}"
    store = open_store(url)
    writers = [(store_workers.write, (url, f"w{each}", 100)) for each in range(6)]
    leaders = [(store_workers.compact_forever, (url, f"l{each}")) for each in range(3)]

    with running(leaders) as compacting, running(writers) as writing:
        for leader, share in zip(compacting[:2], (200, 400), strict=True):
            seen: set[str] = set()

            def has_grown(share: int = share, seen: set[str] = seen) -> bool:
                found = contents(store)
                assert len(found) == len(set(found))
                assert seen <= set(found)
                seen.update(found)
                return len(found) >= share

            wait_until(has_grown, seconds=DEADLINE, every=0.01)
            leader.kill()
        store_workers.finish(writing)
        expected = Counter(f"w{w}:{s}" for w in range(6) for s in range(100))
        assert Counter(contents(store)) == expected
        # The survivor of the three leads on.
        wait_until(lambda: _row_count(url) == 1, seconds=DEADLINE)

    assert Counter(contents(store)) == expected
    store.close()


def _row_count(url: str) -> int:
    store = open_store(url)
    with store.reading() as reader:
        count = len(reader.rows())
    store.close()
    return count


def _overwrite(path: Path) -> None:
    with path.open("r+b") as file:
        file.write(b"garbage!" * 1024)
    # What is in the log would cover the damage.
    path.with_name(f"{path.name}-wal").unlink()


def _delete(path: Path) -> None:
    path.unlink()


def _delete_all(path: Path) -> None:
    for each in path.parent.iterdir():
        each.unlink()


@pytest.mark.parametrize("breakage", [_delete, _delete_all, _overwrite])
def test_processes_that_recover_at_once_agree_on_one_new_file(
    path: Path, breakage: Callable[[Path], None]
) -> None:
    url = f"sqlite:///{path}"
    barrier = PROCESSES.Barrier(9)
    calls = [
        (store_workers.recover, (url, f"w{each}", 25, barrier)) for each in range(8)
    ]

    with running(calls) as processes:
        barrier.wait(DEADLINE)
        breakage(path)
        barrier.wait(DEADLINE)
        store_workers.finish(processes)

    store = open_store(url)
    found = Counter(contents(store))
    store.close()
    later = Counter(f"w{w}:{s}" for w in range(8) for s in range(1, 26))
    # What came before may be rescued from the log, or is gone with the file.
    assert found - Counter(f"w{w}:0" for w in range(8)) == later
    assert max(found.values()) == 1
    assert len(list(path.parent.glob("*.set-aside-*"))) <= 1


@pytest.mark.parametrize("suffixes", [("-wal", "-shm"), ("-wal",), ("-shm",)])
def test_processes_lose_nothing_when_a_companion_of_the_file_is_deleted(
    path: Path, suffixes: tuple[str, ...]
) -> None:
    url = f"sqlite:///{path}"
    barrier = PROCESSES.Barrier(9)
    calls = [
        (store_workers.recover, (url, f"w{each}", 25, barrier)) for each in range(8)
    ]

    with running(calls) as processes:
        barrier.wait(DEADLINE)
        for suffix in suffixes:
            path.with_name(path.name + suffix).unlink()
        barrier.wait(DEADLINE)
        store_workers.finish(processes)

    store = open_store(url)
    expected = Counter(f"w{w}:{s}" for w in range(8) for s in range(26))
    assert Counter(contents(store)) == expected
    assert store.status()["set_aside"] == []
    store.close()


def test_a_process_that_has_ended_holds_no_lease_though_its_parent_has_not_looked() -> (
    None
):
    with subprocess.Popen(
        [sys.executable, "-c", "input()"], stdin=subprocess.PIPE
    ) as child:
        while_it_runs = is_alive(child.pid)
        child.kill()
        # Unlike `poll`, this leaves it a zombie.
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        afterwards = is_alive(child.pid)

    assert (while_it_runs, afterwards) == (True, False)
