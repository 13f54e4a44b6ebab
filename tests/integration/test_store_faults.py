from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from prs_otel.store import Store, StoreError, open_store
from tests.integration.store_workers import append, contents
from tests.support.programs import without_root_powers

ROOT: Final = Path(__file__).parents[2]
FULL_DISK: Final = 2_000_000

APPEND: Final = """
import sys
from prs_otel.store import Store, StoreError, open_store
from tests.integration.store_workers import append
store = open_store(sys.argv[1])
try:
    append(store, "bound", 1)
except StoreError as error:
    print(error)
store.close()
"""


def append_bound_by_permissions(url: str) -> str:
    """Append in a process that permissions bind, and return what it says."""
    return subprocess.run(
        [*without_root_powers(), sys.executable, "-c", APPEND, url],
        capture_output=True,
        check=True,
        cwd=ROOT,
        text=True,
        timeout=60,
    ).stdout


@pytest.mark.parametrize(
    ("directory_mode", "file_mode", "message"),
    [
        pytest.param(0o700, 0o400, "cannot be read and written", id="read-only file"),
        pytest.param(0o700, 0o000, "cannot be read and written", id="unreadable file"),
        pytest.param(0o500, 0o600, "Permission denied", id="read-only directory"),
    ],
)
def test_a_store_that_cannot_be_written_says_so_and_recovers(
    tmp_path: Path, directory_mode: int, file_mode: int, message: str
) -> None:
    path = tmp_path / "store" / "deltas.sqlite3"
    url = f"sqlite:///{path}"
    store = open_store(url)
    append(store, "before", 1)
    store.close()
    path.with_name(f"{path.name}.lock").unlink()
    path.chmod(file_mode)
    path.parent.chmod(directory_mode)

    said = append_bound_by_permissions(url)

    assert message in said
    path.parent.chmod(0o700)
    path.chmod(0o600)
    assert append_bound_by_permissions(url) == ""
    assert sorted(contents(store)) == ["before:1", "bound:1"]
    store.close()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Return a disk of its own, where this process may mount one."""
    disk = tmp_path / "disk"
    disk.mkdir()
    size = f"size={FULL_DISK},mode=700"
    mount = ["mount", "-t", "tmpfs", "-o", size, "tmpfs", str(disk)]
    if os.geteuid() != 0 or subprocess.run(mount, check=False).returncode != 0:
        pytest.skip("only root can mount a small disk")
    yield disk
    subprocess.run(["umount", "--lazy", str(disk)], check=True)


def test_a_full_disk_is_reported_and_survived(small_disk: Path) -> None:
    store = open_store(f"sqlite:///{small_disk}/deltas.sqlite3")
    ballast = small_disk / "ballast"
    append(store, "w", 0)
    _fill(ballast)

    with pytest.raises(StoreError, match="no space left"):
        _append_many(store)
    kept = contents(store)
    with pytest.raises(StoreError, match="no space left"):
        append(store, "x", 1)
    assert contents(store) == kept

    ballast.unlink()
    append(store, "x", 1)
    assert contents(store) == [*kept, "x:1"]
    store.close()


def test_a_store_cannot_begin_on_a_full_disk_and_does_when_there_is_space(
    small_disk: Path,
) -> None:
    store = open_store(f"sqlite:///{small_disk}/deltas.sqlite3")
    ballast = small_disk / "ballast"
    _fill(ballast)

    with pytest.raises(StoreError, match="cannot be used"):
        append(store, "w", 1)

    ballast.unlink()
    append(store, "w", 1)
    assert contents(store) == ["w:1"]
    store.close()


def _append_many(store: Store) -> None:
    for sequence in range(1, 10_000):
        append(store, "w", sequence)


def _fill(path: Path) -> None:
    # Until there is not a page left: that is what ends it.
    with path.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(b"x" * 4096)
