"""Redis and memcached servers that live as long as a `with` block."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.processes import Process, running
from tests.support.programs import program, redis_server
from tests.support.servers import free_port
from tests.support.wait import wait_until


@dataclass(frozen=True, slots=True)
class CacheServer:
    """A server on this host, with nothing in it."""

    process: Process
    port: int

    @property
    def address(self) -> str:
        """Return where it listens."""
        return f"127.0.0.1:{self.port}"


@contextmanager
def redis(directory: Path) -> Iterator[CacheServer]:
    """Run a Redis that keeps nothing on disk and holds 64 MB."""
    port = free_port()
    command = [
        redis_server(),
        *("--port", str(port), "--bind", "127.0.0.1"),
        *("--unixsocket", str(directory / "redis.sock")),
        *("--save", "", "--appendonly", "no", "--dir", str(directory)),
        *("--maxmemory", "64mb"),
    ]
    with _listening(command, port, directory / "redis.log") as server:
        yield server


@contextmanager
def memcached(directory: Path) -> Iterator[CacheServer]:
    """Run a memcached that holds 16 MB."""
    port = free_port()
    command = [
        program("memcached"),
        *("-l", "127.0.0.1", "-p", str(port), "-U", "0", "-m", "16"),
        # As root it wants to be told which account to become.
        *(("-u", "nobody") if os.geteuid() == 0 else ()),
    ]
    with _listening(command, port, directory / "memcached.log") as server:
        yield server


@contextmanager
def _listening(command: Sequence[str], port: int, log: Path) -> Iterator[CacheServer]:
    with running(
        command, log=log, environment={"PATH": os.defpath}, directory=log.parent
    ) as process:
        wait_until(lambda: _accepts(port), seconds=15, what=process.output)
        yield CacheServer(process, port)


def _accepts(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
