"""Whether this process reads the store that the server writes, and may."""

from __future__ import annotations

import os
import pwd
import stat
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from prs_otel import conf
from prs_otel.diagnosis.finding import Finding

if TYPE_CHECKING:
    from pathlib import Path

    from prs_otel.diagnosis.surroundings import Surroundings

LIVELY: Final = 60.0
"""Seconds since its last write in which a store counts as somebody's."""

_NO_DISK: Final = (
    "Set MONITORING_SETTINGS['STORE'] to 'sqlite:////a/writable/path.sqlite3'."
)


def examine(around: Surroundings) -> Iterator[Finding]:
    """Look at where the figures are."""
    if not around.is_enabled:
        return
    path = around.store_path
    if path is None:
        yield Finding(
            "store",
            "critical",
            f"The store is {around.store_url}: each process keeps its figures to itself, "
            "so that no command sees those of the server.",
            _NO_DISK,
        )
        return
    found = [*_directory(path, around), *_file(path, around)]
    yield from found or [Finding("store", "ok", f"The store is {path}.")]


def _directory(path: Path, around: Surroundings) -> Iterator[Finding]:
    try:
        found = path.parent.stat()
    except FileNotFoundError:
        yield _nothing_yet(path, around)
        return
    except OSError as error:
        yield _unreadable(path.parent, error)
        return
    if found.st_uid != around.user_id:
        yield _foreign(path.parent, found.st_uid)
    elif stat.S_IMODE(found.st_mode) & 0o077:
        yield Finding(
            "store",
            "warning",
            f"Other users can look into the store's directory {path.parent}.",
            f"chmod 700 {path.parent}",
        )
    elif not os.access(path.parent, os.W_OK | os.X_OK):
        yield Finding(
            "store",
            "critical",
            f"The store's directory {path.parent} cannot be written.",
            f"chmod 700 {path.parent}",
        )


def _file(path: Path, around: Surroundings) -> Iterator[Finding]:
    try:
        found = path.stat()
    except FileNotFoundError:
        if path.parent.is_dir():
            yield _nothing_yet(path, around)
        return
    except OSError as error:
        yield _unreadable(path, error)
        return
    if found.st_uid != around.user_id:
        yield _foreign(path, found.st_uid)
    elif around.store_error:
        yield Finding(
            "store",
            "critical",
            f"The store {path} cannot be read: {around.store_error}",
            "Put right what it says. A file that is broken may be deleted: the server "
            "makes a new one.",
        )
    yield from _neighbours(path, around)


def _nothing_yet(path: Path, around: Surroundings) -> Finding:
    neighbours = list(_neighbours(path, around))
    if neighbours:
        return neighbours[0]
    return Finding(
        "store",
        "warning",
        f"Nobody has written to the store yet: {path} does not exist.",
        "Start the server as this user and send it a request. If it runs, its HOME, "
        "XDG_STATE_HOME, BASE_DIR or STORE is another.",
    )


def _neighbours(path: Path, around: Surroundings) -> Iterator[Finding]:
    """Point at a store that somebody writes to, where nobody writes to ours."""
    if around.workers or conf.current().store is not None or not path.parent.is_dir():
        return
    for other in sorted(path.parent.glob("*.sqlite3")):
        if other != path and around.now - _written_at(other) < LIVELY:
            yield Finding(
                "store",
                "warning",
                f"Nobody writes to {path.name}, but somebody does to {other.name} in "
                f"{path.parent}.",
                "If that is this project's server, its BASE_DIR is another: set STORE "
                "to one path for both.",
            )


def _written_at(path: Path) -> float:
    companions = (path, path.with_name(f"{path.name}-wal"))
    return max(each.stat().st_mtime for each in companions if each.exists())


def _unreadable(path: Path, error: OSError) -> Finding:
    return Finding(
        "store",
        "critical",
        f"{path} cannot be looked at: {error.strerror}.",
        "Run this command as the user that the server runs as.",
    )


def _foreign(path: Path, owner: int) -> Finding:
    name = user_name(owner)
    return Finding(
        "store",
        "critical",
        f"{path} belongs to {name}, not to the user of this command.",
        f"Run this command as the server's user, such as: sudo -u {name} python "
        "manage.py …",
    )


def user_name(user_id: int) -> str:
    """Return the name of a user, the number where it has none."""
    try:
        return pwd.getpwuid(user_id).pw_name
    except KeyError:
        return str(user_id)
