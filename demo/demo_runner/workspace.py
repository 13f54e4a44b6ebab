"""The directory with everything the demo writes: empty at the start, gone at the end."""

from __future__ import annotations

import fcntl
import os
import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING

from demo_runner.interruption import held

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class WorkspaceError(Exception):
    """The directory is another demo's."""


@contextmanager
def workspace(directory: Path, *, keep: bool = False) -> Iterator[Path]:
    """Own the directory while the block runs; `keep` leaves it for inspection."""
    directory.mkdir(mode=0o700, exist_ok=True)
    lock = os.open(directory, os.O_RDONLY)
    try:
        _take(lock, directory)
        _empty(directory)
        try:
            yield directory
        finally:
            with held():
                if not keep:
                    shutil.rmtree(directory)
    finally:
        os.close(lock)


def _take(lock: int, directory: Path) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise WorkspaceError(f"Another demo is running in {directory.parent}") from None


def _empty(directory: Path) -> None:
    """Remove what a demo left that was killed."""
    for entry in directory.iterdir():
        if entry.is_dir():
            shutil.rmtree(entry)
        else:
            entry.unlink()
