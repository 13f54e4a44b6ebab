"""Judge where the measurements are kept, without creating or opening anything."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

from prs_otel.checks.finding import INSECURE, UNREACHABLE, Finding
from prs_otel.store import StoreError, file_of, ownership

if TYPE_CHECKING:
    from pathlib import Path

_SETTING: Final = "MONITORING_SETTINGS['STORE']"
_ELSEWHERE: Final = (
    f"{_SETTING} = 'sqlite:////absolute/path.sqlite3' in a directory that only the "
    "user of the server may write to"
)


def findings(url: str) -> Iterator[Finding]:
    """Yield what is wrong with a configured store."""
    try:
        file = file_of(url)
    except ValueError as error:
        yield Finding(UNREACHABLE, f"{_SETTING}: {error}.", f"Write {_ELSEWHERE}.")
        return
    if file is None:
        return
    if reason := why_unusable(file):
        yield Finding(
            UNREACHABLE,
            f"{_SETTING} cannot be used: {reason}.",
            f"Give this process access to it, or write {_ELSEWHERE}.",
        )
    if reason := why_insecure(file.parent):
        yield Finding(INSECURE, f"{_SETTING} is not safe: {reason}.", _make_safe(file))


def default_findings(files: Sequence[Path]) -> Iterator[Finding]:
    """Yield a finding where none of the files can be used that stand in for no setting."""
    reasons = [why_unusable(file) or why_foreign(file.parent) for file in files]
    if all(reasons):
        yield Finding(
            UNREACHABLE,
            "Each worker keeps its own figures, as no directory for them can be used: "
            f"{'; '.join(reasons) or 'there is none'}.",
            f"Write {_ELSEWHERE}.",
        )


def why_unusable(file: Path) -> str:
    """Return why this process cannot keep its figures in `file`, "" if it can."""
    directory = file.parent
    try:
        if not directory.is_dir():
            return _why_not_creatable(directory)
        if not os.access(directory, os.W_OK | os.X_OK):
            return f"the directory {directory} cannot be written to"
        ownership.check_file(ownership.resolved(file))
    except StoreError as error:
        return str(error)
    except OSError as error:
        return f"{file} cannot be looked at: {error.strerror}"
    return ""


def why_insecure(directory: Path) -> str:
    """Return what lets others than this user swap the file, "" if nothing does."""
    try:
        found = directory.stat()
    except OSError:
        return ""
    if found.st_mode & stat.S_IWOTH:
        return f"everybody may write to the directory {directory}"
    return why_foreign(directory)


def why_foreign(directory: Path) -> str:
    """Return whose the directory is, "" if it is ours or not there yet."""
    try:
        ownership.check_directory(directory)
    except StoreError as error:
        return str(error)
    except OSError:
        return ""
    return ""


def _why_not_creatable(directory: Path) -> str:
    if os.path.lexists(directory):
        return f"{directory} is not a directory"
    parent = next(each for each in directory.parents if os.path.lexists(each))
    if not parent.is_dir():
        return f"{parent} is not a directory"
    if not os.access(parent, os.W_OK | os.X_OK):
        return f"the directory {directory} is missing and {parent} cannot be written to"
    return ""


def _make_safe(file: Path) -> str:
    return (
        f"Let the directory belong to the user of the server, run manage.py as that "
        f"user too, and chmod 700 {file.parent}."
    )
