from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from prs_otel.store import open_store
from prs_otel.store.base import Store
from tests.integration import store_workers
from tests.integration.store_workers import append, contents, running

LOCKS = Path("/proc/locks")


def os_fork() -> int:
    return os.fork()


def bare_fork() -> int:
    """Fork as a server written in C may: without the hooks of Python."""
    return int(ctypes.PyDLL(None).fork())


def child_of(fork: Callable[[], int], work: Callable[[], None]) -> None:
    """Do the work in a forked child and fail when it fails."""
    pid = fork()
    if pid == 0:
        status = 1
        try:
            work()
            status = 0
        finally:
            sys.stderr.flush()
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


def append_on_both_sides(url: str, fork: Callable[[], int]) -> None:
    store = open_store(url)
    append(store, "parent", 1)
    contents(store)

    def in_child() -> None:
        append(store, "child", 1)
        assert sorted(contents(store)) == ["child:1", "parent:1"]

    child_of(fork, in_child)
    append(store, "parent", 2)
    store.close()


def fork_while_reading(url: str, fork: Callable[[], int]) -> None:
    store = open_store(url)
    append(store, "parent", 1)

    def in_child() -> None:
        append(store, "child", 1)
        assert sorted(contents(store)) == ["child:1", "parent:1"]

    with store.reading() as reader:
        child_of(fork, in_child)
        assert len(reader.rows()) == 1
    append(store, "parent", 2)
    store.close()


def check_locks_of_child(url: str, fork: Callable[[], int]) -> None:
    store = open_store(url)
    append(store, "parent", 1)
    path = Path(url.removeprefix("sqlite:///"))
    child_of(fork, lambda: check_own_locks(store, path))
    store.close()


def check_own_locks(store: Store, path: Path) -> None:
    """Fail unless the kernel knows of a lock of this process on the database."""
    append(store, "child", 1)
    fields = [line.split() for line in LOCKS.read_text().splitlines()]
    inode = str(path.stat().st_ino)
    holders = {each[4] for each in fields if each[5].rpartition(":")[2] == inode}
    assert str(os.getpid()) in holders


@pytest.mark.parametrize("fork", [os_fork, bare_fork])
@pytest.mark.parametrize("scene", [append_on_both_sides, fork_while_reading])
def test_parent_and_child_both_append_after_a_fork(
    tmp_path: Path,
    scene: Callable[[str, Callable[[], int]], None],
    fork: Callable[[], int],
) -> None:
    url = f"sqlite:///{tmp_path}/store/deltas.sqlite3"

    with running([(scene, (url, fork))]) as processes:
        store_workers.finish(processes)

    store = open_store(url)
    assert sorted(contents(store)) == ["child:1", "parent:1", "parent:2"]
    store.close()


@pytest.mark.skipif(not LOCKS.exists(), reason="this system does not list its locks")
@pytest.mark.parametrize("fork", [os_fork, bare_fork])
def test_a_forked_child_takes_locks_of_its_own(
    tmp_path: Path, fork: Callable[[], int]
) -> None:
    url = f"sqlite:///{tmp_path}/store/deltas.sqlite3"

    with running([(check_locks_of_child, (url, fork))]) as processes:
        store_workers.finish(processes)
