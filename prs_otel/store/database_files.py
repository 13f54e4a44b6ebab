"""The files of one SQLite database: their identity, their size, and setting them aside.

SQLite does not notice that its file was deleted or replaced under an open connection: it
goes on writing to what nobody will ever read. So the files are remembered by their
inodes, and compared before and after whatever matters.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, Self, TypeAlias

if TYPE_CHECKING:
    from pathlib import Path

Inode: TypeAlias = tuple[int, int] | None
Identity: TypeAlias = tuple[Inode, Inode, Inode]

SET_ASIDE: Final = ".set-aside-"
KEPT_ASIDE: Final = 2


@dataclass(frozen=True, slots=True)
class DatabaseFiles:
    """A database and the companions that SQLite and we put beside it.

    `path` is what was configured; `main` is the file it means, links resolved.
    """

    path: Path
    main: Path
    wal: Path
    shm: Path
    lock: Path
    rescued: Path

    @classmethod
    def of(cls, path: Path, main: Path) -> Self:
        """Return the files of the database `main`, known to people as `path`."""
        return cls(
            path=path,
            main=main,
            wal=beside(main, "-wal"),
            shm=beside(main, "-shm"),
            lock=beside(main, ".lock"),
            rescued=beside(main, ".rescued"),
        )

    def identity(self) -> Identity:
        """Return which files are there right now."""
        return inode(self.path), inode(self.wal), inode(self.shm)

    def wal_size(self) -> int:
        """Return the bytes of the write-ahead log."""
        return _size(self.wal)

    def size(self) -> int:
        """Return the bytes of the database and its write-ahead log."""
        return _size(self.main) + _size(self.wal)

    def age(self, *, now: float) -> float:
        """Return how many seconds ago somebody has written."""
        return now - max(_modified_at(self.main), _modified_at(self.wal))

    def remove(self) -> None:
        """Delete the database, and what could be mistaken for part of its successor."""
        for path in (self.main, self.wal, self.shm, beside(self.main, "-journal")):
            path.unlink(missing_ok=True)

    def set_aside(self, *, now: float) -> None:
        """Rename the database out of the way; only the newest few are kept."""
        number = self.main.stat().st_ino
        when = datetime.fromtimestamp(now, UTC)
        name = f"{self.main.name}{SET_ASIDE}{when:%Y%m%dT%H%M%S.%fZ}-{number}"
        aside = self.main.rename(self.main.with_name(name))
        # The log goes with its database: together they can still be read.
        with suppress(FileNotFoundError):
            self.wal.rename(beside(aside, "-wal"))
        self.shm.unlink(missing_ok=True)
        for old in self.kept_aside()[:-KEPT_ASIDE]:
            for suffix in ("", "-wal", "-shm"):
                beside(old, suffix).unlink(missing_ok=True)

    def kept_aside(self) -> list[Path]:
        """Return the databases that were set aside, oldest first."""
        prefix = self.main.name + SET_ASIDE
        return sorted(
            path
            for path in self.main.parent.iterdir()
            if path.name.startswith(prefix) and not path.name.endswith(("-wal", "-shm"))
        )


def beside(path: Path, suffix: str) -> Path:
    """Return the companion of a file whose name ends with `suffix`."""
    return path.with_name(path.name + suffix)


def inode(path: Path) -> Inode:
    """Return what tells a file from its successor at the same path; None if absent."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _modified_at(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0
