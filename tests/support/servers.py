"""Serve the site by a real server, with or without `opentelemetry-instrument`."""

from __future__ import annotations

import re
import socket
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from tests.support.http import Client
from tests.support.processes import Process, running
from tests.support.programs import python_program
from tests.support.sites import CODE, Site
from tests.support.wait import wait_until

# Each server is told port 0 and names the one it got.
_ADDRESS: Final = re.compile(r"http://127\.0\.0\.1:([1-9]\d*)")
_OUR_FAILURE: Final = re.compile(r"prs_otel failed in .*")


@dataclass(frozen=True, slots=True)
class Server:
    """A server that accepts connections."""

    process: Process
    client: Client

    def workers(self) -> list[int]:
        """Return the process ids of its workers."""
        return self.process.children()

    def failures(self) -> list[str]:
        """Return the lines in which our packages report a failure of their own."""
        return _OUR_FAILURE.findall(self.process.output())


def gunicorn(*options: str, workers: int = 2) -> list[str]:
    """Return the command that serves the site by gunicorn."""
    return [
        python_program("gunicorn"),
        "library.wsgi",
        "--bind=127.0.0.1:0",
        f"--workers={workers}",
        *options,
    ]


def uvicorn(*options: str, workers: int = 1) -> list[str]:
    """Return the command that serves the site by uvicorn."""
    return [
        python_program("uvicorn"),
        "library.asgi:application",
        "--host=127.0.0.1",
        "--port=0",
        f"--workers={workers}",
        *options,
    ]


def runserver(*options: str) -> list[str]:
    """Return the command that serves the site by Django's own server."""
    manage = str(CODE / "manage.py")
    return [sys.executable, manage, "runserver", "127.0.0.1:0", *options]


@contextmanager
def serving(
    site: Site,
    command: Sequence[str],
    *,
    is_launched: bool = True,
    may_fail: bool = False,
    prefix: Sequence[str] = (),
) -> Iterator[Server]:
    """Serve `site` for the length of the block, through the launcher by default.

    A failure our packages have logged by its end fails the test, unless it `may_fail`.
    `prefix` goes before everything else, such as `without_root_powers()`.
    """
    launcher = [python_program("opentelemetry-instrument")] if is_launched else []
    log = site.directory / "server.log"
    log.write_bytes(b"")
    with running(
        [*prefix, *launcher, *command],
        log=log,
        environment=site.variables(),
        directory=site.code,
    ) as process:
        server = Server(process, Client(port_named_by(process)))
        yield server
        failures = [] if may_fail else server.failures()
    assert failures == [], process.output()


def free_port() -> int:
    """Return a port nobody listens on, and none that anybody gets who asks for any.

    For a minute the system gives it to those only who name it: a connection has been
    closed there, from this side first.
    """
    with socket.create_server(("127.0.0.1", 0)) as server:
        address: tuple[str, int] = server.getsockname()
        with socket.create_connection(address) as client:
            server.accept()[0].close()
            client.recv(1)
    return address[1]


def port_named_by(process: Process) -> int:
    """Wait until the server has named its port and accepts connections."""

    def accepting() -> int:
        if not process.is_running:
            message = f"the server has ended:\n{process.output()}"
            raise AssertionError(message)
        named = _ADDRESS.search(process.output())
        return int(named[1]) if named and _accepts(int(named[1])) else 0

    return wait_until(accepting, seconds=30, what=process.output)


def _accepts(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True
