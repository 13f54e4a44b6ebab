"""A lock between processes that also survives the deletion of its file."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final

from prs_otel import native
from prs_otel.store.base import BUSY_TIMEOUT, StoreError

if TYPE_CHECKING:
    from pathlib import Path

_PAUSE: Final = 0.01  # seconds between two attempts


@contextmanager
def exclusive(path: Path, *, timeout: float = BUSY_TIMEOUT) -> Iterator[None]:
    """Hold the lock file at `path`, alone among processes and threads.

    Raises `StoreError` after `timeout` seconds, `OSError` where no file can be made.
    """
    deadline = time.monotonic() + timeout
    while (descriptor := _try_lock(path)) is None:
        if time.monotonic() >= deadline:
            message = f"another process has been preparing the store: {path} is locked"
            raise StoreError(message)
        native.sleep(_PAUSE)
    try:
        yield
    finally:
        # Unlocked by hand: a child forked meanwhile shares the open file, and closing
        # our descriptor alone would leave the lock to it.
        fcntl.flock(descriptor, fcntl.LOCK_UN)
        os.close(descriptor)


def _try_lock(path: Path) -> int | None:
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(path, flags, 0o600)
    is_locked = False
    try:
        # Somebody else may be at it: then the caller waits.
        with suppress(BlockingIOError):
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            is_locked = _is_same_file(descriptor, path)
    finally:
        if not is_locked:
            os.close(descriptor)
    return descriptor if is_locked else None


def _is_same_file(descriptor: int, path: Path) -> bool:
    # A lock file deleted by hand can be locked by one process and made anew by the next.
    try:
        at_path = path.stat()
    except FileNotFoundError:
        return False
    return os.path.samestat(os.fstat(descriptor), at_path)
