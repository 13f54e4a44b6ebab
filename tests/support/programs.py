"""Find the programs that some tests need besides Python.

Where one is missing the test is skipped with the reason; under CI it fails, so that
nothing is left out in silence.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Final, NoReturn

import pytest

REPOSITORY: Final = Path(__file__).parents[2]
DEBIAN_POSTGRES: Final = "/usr/lib/postgresql"

_PYMYSQL: Final = Path(__file__).parent / "drivers"

# Whoever is root reads and writes everything; these capabilities are what lets it.
_OVERRIDES: Final = "-dac_override,-dac_read_search,-fowner,-chown"


def python_program(name: str) -> str:
    """Return the path of a program installed beside this Python."""
    path = Path(sys.executable).parent / name
    return str(path) if path.exists() else _missing(name)


def python_package(name: str) -> None:
    """Go on only where a package is installed that is no development dependency."""
    if importlib.util.find_spec(name) is None:
        _missing(name)


def program(name: str, *, directories: Sequence[str | Path] = ()) -> str:
    """Return the path of `name` from PATH or one of `directories`."""
    for directory in directories:
        path = Path(directory, name)
        if os.access(path, os.X_OK):
            return str(path)
    return shutil.which(name) or _missing(name)


def redis_server() -> str:
    """Return the path of redis-server, or of valkey-server in its place."""
    return shutil.which("redis-server") or program("valkey-server")


def promtool() -> str:
    """Return the path of promtool."""
    return program("promtool")


def alertmanager() -> str:
    """Return the path of Alertmanager, by the name it has on Debian or its own."""
    return shutil.which("prometheus-alertmanager") or program("alertmanager")


def postgres_program(name: str) -> str:
    """Return the path of a program of the newest PostgreSQL installed."""
    releases = Path(DEBIAN_POSTGRES).glob("*/bin")
    newest = sorted(releases, key=lambda path: float(path.parent.name), reverse=True)
    return program(name, directories=newest)


def mariadb_program(name: str) -> str:
    """Return the path of a program of MariaDB, whose server is not in every PATH."""
    return program(name, directories=["/usr/sbin", "/usr/local/sbin", "/usr/libexec"])


def mysql_driver(name: str) -> Path | None:
    """Return what to put into a process's path for Django to use a driver of MySQL's.

    mysqlclient needs nothing, but a C compiler to be installed with.
    """
    if name == "pymysql":
        return _PYMYSQL
    return None if find_spec("MySQLdb") else _missing(name)


def without_root_powers() -> list[str]:
    """Return what to put before a command so that file permissions bind it.

    As root, it runs without the capabilities that override them, which leaves it able
    to read a checkout in root's own directory; anyone else is bound already.
    """
    if os.geteuid() != 0:
        return []
    return [program("setpriv"), f"--bounding-set={_OVERRIDES}"]


def require(module: str) -> None:
    """Leave the test out where an optional module is not installed."""
    if find_spec(module) is None:
        _missing(module)


def npm_package(name: str) -> None:
    """Leave the test out where a package of `frontend/` is not installed (`make frontend`)."""
    if not REPOSITORY.joinpath("frontend/node_modules", name).exists():
        _missing(f"npm's {name}")


def npm_receiver() -> str:
    """Return the script of the OTLP receiver in `npm/` (`make programs`)."""
    directory = Path(__file__).parent / "npm"
    if not (directory / "node_modules").exists():
        _missing("npm's @elastic/mockotlpserver")
    return str(directory / "otlp_receiver.mjs")


def built(name: str) -> str:
    """Return the path of what `collector-config/build.sh` has built (`make programs`)."""
    script = REPOSITORY / "collector-config/build.sh"
    done = subprocess.run(
        [script, "--find", name], capture_output=True, text=True, check=False
    )
    return done.stdout.strip() if done.returncode == 0 else _missing(name)


def _missing(name: str) -> NoReturn:
    reason = f"{name} is not installed"
    if os.environ.get("CI"):
        pytest.fail(f"{reason}, and under CI no test may be left out")
    pytest.skip(reason)
