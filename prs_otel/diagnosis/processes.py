"""The servers of this project that run on this host, as the process table shows them."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psutil
from django.conf import settings

PROGRAMS: Final = (
    "daphne",
    "granian",
    "gunicorn",
    "hypercorn",
    "uvicorn",
    "uwsgi",
    "waitress-serve",
)
ASGI_PROGRAMS: Final = frozenset({"daphne", "granian", "hypercorn", "uvicorn"})
RUNSERVER: Final = "runserver"

# Words of a command line among which the program is: an interpreter and its options come first.
_LEADING: Final = 4
# A title that the program has given itself, such as "gunicorn: master [project.wsgi]".
_TITLE: Final = re.compile(r"^([\w-]+):")
_TOLD: Final = (
    "DJANGO_SETTINGS_MODULE",
    "HOME",
    "SSL_CERT_FILE",
    "XDG_STATE_HOME",
)


@dataclass(frozen=True, slots=True)
class Server:
    """A server's first process, and those it has started.

    `environment` has what concerns us; it is empty where it may not be read.
    """

    program: str
    pid: int
    user_id: int
    user: str
    started_at: float
    arguments: tuple[str, ...]
    children: frozenset[int]
    environment: Mapping[str, str]

    @property
    def pids(self) -> frozenset[int]:
        """Return the ids of all its processes."""
        return self.children | {self.pid}

    @property
    def title(self) -> str:
        """Return what to call it in a sentence."""
        return f"{self.program} (process {self.pid})"

    @property
    def speaks_asgi(self) -> bool:
        """Tell whether it calls an ASGI application, as far as its command line says."""
        is_worker = any("uvicorn" in each.lower() for each in self.arguments)
        return self.program in ASGI_PROGRAMS or is_worker

    @property
    def preloads(self) -> bool:
        """Tell whether it loads the application before it forks."""
        return self.program == "gunicorn" and "--preload" in self.arguments


def servers(directory: str) -> tuple[Server, ...]:
    """Return the servers of the project in `directory`; empty where none can be seen."""
    found = {
        process.pid: (process, program)
        for process in psutil.process_iter()
        if process.pid != os.getpid()
        and (program := _program_of(process, directory)) is not None
    }
    return tuple(
        server
        for process, program in found.values()
        if _parent(process) not in found
        and (server := _server(process, program)) is not None
    )


def program(arguments: Iterable[str]) -> str | None:
    """Return which server a command line starts, None when it is no server's."""
    words = list(arguments)
    for word in words[:_LEADING]:
        titled = _TITLE.match(word)
        name = titled[1] if titled else Path(word).name
        if name in PROGRAMS:
            return name
    return RUNSERVER if RUNSERVER in words[:_LEADING] else None


def concerns(arguments: Iterable[str], where: str, directory: str) -> bool:
    """Tell whether a server started so, in the directory `where`, is this project's."""
    if where and Path(where).is_relative_to(directory):
        return True
    text = " ".join(arguments)
    # Where that directory has an application of the same name, it is another copy's.
    return any(
        name in text and not _has_module(where, name) for name in _application_names()
    )


def _has_module(where: str, name: str) -> bool:
    try:
        return bool(where) and Path(where, *name.split(".")).with_suffix(".py").exists()
    except OSError:
        return False


def _application_names() -> Iterator[str]:
    for setting in ("WSGI_APPLICATION", "ASGI_APPLICATION"):
        name = getattr(settings, setting, None)
        if name:
            yield str(name).rpartition(".")[0]


def _program_of(process: psutil.Process, directory: str) -> str | None:
    try:
        arguments = process.cmdline()
        name = program(arguments)
        if name is None:
            return None
        return name if concerns(arguments, _directory(process), directory) else None
    except psutil.Error:
        return None


def _server(process: psutil.Process, name: str) -> Server | None:
    try:
        children = process.children(recursive=True)
        return Server(
            program=name,
            pid=process.pid,
            user_id=process.uids().effective,
            user=process.username(),
            started_at=process.create_time(),
            arguments=tuple(process.cmdline()),
            children=frozenset(child.pid for child in children),
            environment=_environment(process),
        )
    except psutil.Error:
        # It has ended since.
        return None


def _parent(process: psutil.Process) -> int:
    try:
        return process.ppid()
    except psutil.Error:
        return 0


def _directory(process: psutil.Process) -> str:
    try:
        return process.cwd()
    except psutil.Error:
        return ""


def _environment(process: psutil.Process) -> dict[str, str]:
    try:
        variables = process.environ()
    except (psutil.Error, OSError):
        return {}
    # Nothing else is looked at: there may be passwords among them.
    return {
        name: value
        for name, value in variables.items()
        if name in _TOLD or name.startswith("OTEL_")
    }
