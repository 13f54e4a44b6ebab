"""Start a process of our own and end it, and all it started, for certain."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil


@dataclass(frozen=True, slots=True)
class Process:
    """A process that leads its own group, with its output in a file."""

    popen: subprocess.Popen[bytes]
    log: Path

    @property
    def pid(self) -> int:
        return self.popen.pid

    @property
    def is_running(self) -> bool:
        return self.popen.poll() is None

    def output(self) -> str:
        """Return what it has written so far, standard error included."""
        return self.log.read_text(errors="replace")

    def children(self) -> list[int]:
        """Return the ids of its direct children, such as a server's workers."""
        with contextlib.suppress(psutil.NoSuchProcess):
            return [child.pid for child in psutil.Process(self.pid).children()]
        return []

    def stop(self, *, seconds: float = 15.0, with_signal: int = signal.SIGTERM) -> int:
        """Ask it to end and return its exit status; fail when it does not."""
        if self.is_running:
            self.popen.send_signal(with_signal)
        return self.popen.wait(seconds)

    def end(self) -> None:
        """Kill whatever of its group still lives."""
        # The group outlives its leader, so this reaches orphaned workers too.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self.popen.wait()


@contextmanager
def running(
    command: Sequence[str],
    *,
    log: Path,
    environment: Mapping[str, str],
    directory: Path,
    user: int | None = None,
) -> Iterator[Process]:
    """Run `command` for the length of the block."""
    with log.open("ab") as output:
        popen = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=dict(environment),
            cwd=directory,
            user=user,
            start_new_session=True,
        )
    process = Process(popen, log)
    try:
        yield process
    finally:
        process.end()
