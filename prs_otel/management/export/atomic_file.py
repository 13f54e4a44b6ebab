"""A file that is there whole or not at all, for its owner only."""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO


@contextmanager
def replacing(path: Path) -> Iterator[TextIO]:
    """Give a text file that takes the place of `path` at the end of the block.

    When the block raises, what was there before stays. Raises `OSError`.
    """
    # A link stays one: the file that it points to is replaced.
    target = path.resolve()
    _refuse_special(target)
    # In the same directory: renaming is atomic within one file system only.
    number, name = tempfile.mkstemp(
        prefix=f".{target.name[:100]}.", suffix=".tmp", dir=target.parent
    )
    temporary = Path(name)
    try:
        # A name that has no encoding must not end an export.
        with os.fdopen(
            number, "w", encoding="utf-8", errors="backslashreplace", newline=""
        ) as file:
            yield file
            file.flush()
            os.fsync(number)
        temporary.replace(target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    _sync(target.parent)


def _refuse_special(target: Path) -> None:
    """Refuse what renaming would do away with instead of writing to, such as a device."""
    try:
        mode = target.stat().st_mode
    except FileNotFoundError:
        return
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(f"{target} is a directory")
    if not stat.S_ISREG(mode):
        raise OSError(f"{target} is no regular file; write - for standard output")


def _sync(directory: Path) -> None:
    """Let the new name outlive a power failure, too."""
    number = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
