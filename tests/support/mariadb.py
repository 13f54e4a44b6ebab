"""A MariaDB server that lives as long as a `with` block."""

from __future__ import annotations

import contextlib
import getpass
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from tests.support.processes import running
from tests.support.programs import mariadb_program
from tests.support.wait import wait_until

DATABASE: Final = "library"

# It listens on a socket only and need not survive a power cut.
_OPTIONS: Final = (
    "--skip-networking",
    "--innodb-flush-log-at-trx-commit=0",
    "--innodb-buffer-pool-size=32M",
    "--performance-schema=off",
)


@contextmanager
def mariadb() -> Iterator[dict[str, object]]:
    """Run a server with an empty database; yield the entry for Django's DATABASES.

    It listens on a socket in its own directory only, so it needs no port and clashes
    with no other server.
    """
    user = _user()
    # Not pytest's tmp_path: too long for a socket, and closed to the server's account.
    directory = Path(tempfile.mkdtemp(prefix="prs-otel-mariadb-"))
    socket = directory / "socket"
    try:
        shutil.chown(directory, user)
        _initialise(directory, user)
        with running(
            [
                mariadb_program("mariadbd"),
                *("--no-defaults", f"--user={user}", f"--socket={socket}"),
                *(f"--datadir={directory}/data", f"--tmpdir={directory}"),
                *(f"--pid-file={directory}/pid", *_OPTIONS),
            ],
            log=directory / "log",
            environment={"LC_ALL": "C.UTF-8", "PATH": os.defpath},
            directory=directory,
        ) as process:
            wait_until(lambda: _accepts(socket), seconds=60, what=process.output)
            _client("mariadb-admin", socket, "create", DATABASE, check=True)
            yield _database(socket)
            process.stop()
    finally:
        shutil.rmtree(directory)


def _initialise(directory: Path, user: str) -> None:
    subprocess.run(
        [
            mariadb_program("mariadb-install-db"),
            *("--no-defaults", f"--user={user}", f"--datadir={directory}/data"),
            *("--auth-root-authentication-method=normal", "--skip-test-db"),
        ],
        check=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        cwd=directory,
        timeout=120,
    )


def _accepts(socket: Path) -> bool:
    return _client("mariadb-admin", socket, "ping", check=False).returncode == 0


def _client(
    name: str, socket: Path, *arguments: str, check: bool
) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [mariadb_program(name), "--no-defaults", f"--socket={socket}", *arguments],
        check=check,
        stdin=subprocess.DEVNULL,
        capture_output=True,
    )


def _database(socket: Path) -> dict[str, object]:
    return {
        "ENGINE": "django.db.backends.mysql",
        "NAME": DATABASE,
        "USER": "root",
        "HOST": str(socket),
    }


def _user() -> str:
    """Return whom to run as: MariaDB refuses root unless told."""
    if os.geteuid() != 0:
        return getpass.getuser()
    with contextlib.suppress(KeyError):
        return pwd.getpwnam("mysql").pw_name
    return pwd.getpwnam("nobody").pw_name
