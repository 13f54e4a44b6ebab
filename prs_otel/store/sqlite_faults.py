"""Say what an SQLite failure means to people, and what can be done about it."""

from __future__ import annotations

import enum
import sqlite3
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

_BUSY: Final = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})
_DAMAGED: Final = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})

_EXPLAINED: Final = {
    sqlite3.SQLITE_BUSY: "another process keeps it locked",
    sqlite3.SQLITE_CANTOPEN: "it cannot be opened; is its directory writable?",
    sqlite3.SQLITE_CORRUPT: "its content is damaged",
    sqlite3.SQLITE_FULL: "there is no space left for it",
    sqlite3.SQLITE_IOERR: "reading or writing it failed",
    sqlite3.SQLITE_LOCKED: "this process keeps it locked",
    sqlite3.SQLITE_NOTADB: "it is no SQLite database any more",
    sqlite3.SQLITE_READONLY: "it is read-only for this process",
}


class DamagedError(sqlite3.DatabaseError):
    """What was read makes no sense, though SQLite has not noticed."""

    sqlite_errorcode = sqlite3.SQLITE_CORRUPT


class Remedy(enum.Enum):
    """What may help against a failure before the call is tried again."""

    WAIT = enum.auto()
    MAKE_ROOM = enum.auto()
    SET_ASIDE = enum.auto()
    REOPEN = enum.auto()


def remedy(error: sqlite3.Error) -> Remedy:
    """Return what to do; opening the file anew helps against more than one expects."""
    code = _code(error)
    if code in _BUSY:
        return Remedy.WAIT
    if code == sqlite3.SQLITE_FULL:
        return Remedy.MAKE_ROOM
    if code in _DAMAGED:
        return Remedy.SET_ASIDE
    return Remedy.REOPEN


def explain(error: sqlite3.Error | OSError, path: Path) -> str:
    """Return one sentence for people, with SQLite's own words at the end."""
    if isinstance(error, OSError):
        reason = error.strerror or str(error)
        return f"the monitoring store {path} cannot be used: {reason}"
    meaning = _EXPLAINED.get(_code(error), "SQLite refused a statement")
    return f"the monitoring store {path} cannot be used: {meaning} ({error})"


def _code(error: sqlite3.Error) -> int:
    # Errors of the Python module itself carry no code; the low byte is the primary one.
    code: int = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR)
    return code & 0xFF
