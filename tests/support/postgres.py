"""A PostgreSQL cluster that lives as long as a `with` block."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import psutil

from tests.support.processes import running
from tests.support.programs import postgres_program
from tests.support.wait import wait_until

USER: Final = "tester"

# Nothing here has to survive a power cut.
_OPTIONS: Final = ("-c", "fsync=off", "-c", "max_connections=40")


@dataclass
class Cluster:
    """A server that can be stopped and started again over the same data."""

    directory: Path
    account: int | None
    _running: ExitStack = field(default_factory=ExitStack)
    _process: psutil.Process = field(init=False)

    @property
    def database(self) -> dict[str, object]:
        """Return the entry for Django's DATABASES that reaches it."""
        return _database(self.directory)

    def start(self) -> None:
        """Start the server and wait until it accepts connections."""
        process = self._running.enter_context(
            running(
                [
                    postgres_program("postgres"),
                    *("-D", str(self.directory / "data"), "-k", str(self.directory)),
                    *("-c", "listen_addresses=", *_OPTIONS),
                ],
                log=self.directory / "log",
                environment={"LC_ALL": "C.UTF-8", "PATH": os.defpath},
                directory=self.directory,
                user=self.account,
            )
        )
        wait_until(lambda: _accepts(self.directory), seconds=30, what=process.output)
        self._process = psutil.Process(process.pid)

    def stop(self) -> None:
        """Kill the server in the midst of whatever it does."""
        self._running.close()

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Have the server and what serves its connections answer nothing for the block."""
        server = self._process
        processes = [server, *server.children(recursive=True)]
        for each in processes:
            each.suspend()
        try:
            yield
        finally:
            for each in processes:
                each.resume()


@contextmanager
def cluster() -> Iterator[Cluster]:
    """Run a cluster for as long as the block lasts.

    It listens on a socket in its own directory only, so it needs no port and clashes
    with no other server.
    """
    account = _account()
    # Not pytest's tmp_path: the server's account could not enter it.
    directory = Path(tempfile.mkdtemp(prefix="prs-otel-postgres-"))
    found = Cluster(directory, account)
    try:
        if account is not None:
            os.chown(directory, account, -1)
        _initialise(directory / "data", account)
        found.start()
        yield found
    finally:
        found.stop()
        shutil.rmtree(directory)


@contextmanager
def postgres() -> Iterator[dict[str, object]]:
    """Run a cluster; yield the entry for Django's DATABASES that reaches it."""
    with cluster() as found:
        yield found.database


def _initialise(data: Path, account: int | None) -> None:
    command = ["-D", str(data), "-U", USER, "--auth=trust", "--no-sync"]
    subprocess.run(
        [postgres_program("initdb"), *command, "--encoding=UTF8", "--locale=C.UTF-8"],
        check=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        cwd=data.parent,
        user=account,
    )


def _accepts(directory: Path) -> bool:
    done = subprocess.run(
        [postgres_program("pg_isready"), "-q", "-h", str(directory)], check=False
    )
    return done.returncode == 0


def _database(directory: Path) -> dict[str, object]:
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": "postgres",
        "USER": USER,
        "HOST": str(directory),
    }


def _account() -> int | None:
    """Return whom to run as: PostgreSQL refuses root."""
    if os.geteuid() != 0:
        return None
    with contextlib.suppress(KeyError):
        return pwd.getpwnam("postgres").pw_uid
    return pwd.getpwnam("nobody").pw_uid
