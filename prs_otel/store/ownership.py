"""Make sure that a store's file lies where nobody else can swap or read it."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING, Final

from prs_otel.store.base import StoreError

if TYPE_CHECKING:
    from pathlib import Path

DIRECTORY_MODE: Final = 0o700
FILE_MODE: Final = 0o600


def resolved(path: Path) -> Path:
    """Return the file that `path` means, following only links of our own.

    Raises `StoreError` for a link of another user at `path`.
    """
    try:
        link = path.lstat()
    except FileNotFoundError:
        return path
    if stat.S_ISLNK(link.st_mode):
        _refuse_foreign(path, link, "the link")
        return path.resolve()
    return path


def prepare_directory(directory: Path) -> None:
    """Create the directory for us alone, or make sure that an existing one is ours.

    Raises `StoreError` for somebody else's, `OSError` where it cannot be created.
    """
    directory.mkdir(mode=DIRECTORY_MODE, parents=True, exist_ok=True)
    check_directory(directory)


def check_directory(directory: Path) -> None:
    """Make sure that an existing directory is ours.

    Raises `StoreError` for somebody else's, `OSError` for one that cannot be seen.
    """
    _refuse_foreign(directory, directory.stat(), "the directory")


def check_file(path: Path) -> int:
    """Return the size of our file at `path`, 0 when there is none.

    Raises `StoreError` for what is no regular file, belongs to somebody else or cannot
    be written.
    """
    try:
        found = path.lstat()
    except FileNotFoundError:
        return 0
    if not stat.S_ISREG(found.st_mode):
        message = f"the monitoring store {path} is not a regular file"
        raise StoreError(message)
    _refuse_foreign(path, found, "the file")
    # SQLite would open it all the same, and leave a log behind that is read-only, too.
    if not os.access(path, os.R_OK | os.W_OK):
        message = f"the monitoring store {path} cannot be read and written"
        raise StoreError(message)
    return found.st_size


def create_file(path: Path) -> None:
    """Create an empty file for us alone; `FileExistsError` when there is one."""
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    os.close(os.open(path, flags, FILE_MODE))


def _refuse_foreign(path: Path, found: os.stat_result, what: str) -> None:
    if found.st_uid != os.geteuid():
        message = (
            f"{what} {path} belongs to user {found.st_uid}, but this process runs as"
            f" user {os.geteuid()}; run it as that user, or choose a store in a"
            " directory of its own, for example in a subdirectory"
        )
        raise StoreError(message)
