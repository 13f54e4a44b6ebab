"""The worker processes and the sink of one round, as seen by whoever measures them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import psutil

from benchmarks.overhead.worker import Ready

if TYPE_CHECKING:
    from collections.abc import Mapping

    from benchmarks.overhead.plan import Variant

STOP_SECONDS = 20.0
LOG_SHOWN = 3_000  # characters


class WorkerProcess:
    """A started and warmed-up :mod:`benchmarks.overhead.worker`; a context manager."""

    def __init__(
        self, variant: Variant, environment: Mapping[str, str], log: Path
    ) -> None:
        self.variant = variant
        self._log = log.open("ab")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.overhead.worker", variant.name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            env={**_clean_environment(), **environment},
            text=True,
        )
        self.ready = Ready(**self._read())

    def begin(self) -> None:
        """Let a block begin."""
        self._ask({"do": "begin"})

    def serve(self, path: str, requests: int) -> float:
        """Let it serve a burst; returns the CPU seconds since its last answer."""
        return float(self._ask({"do": "serve", "path": path, "requests": requests}))

    def end(self) -> float:
        """Let it flush; returns the CPU seconds since the block began."""
        return float(self._ask({"do": "end"}))

    def cover(self, endpoints: int) -> None:
        """Let it serve each of the site's further endpoints once, and flush."""
        self._ask({"do": "cover", "endpoints": endpoints})

    @property
    def memory(self) -> int:
        """The bytes the process has resident now."""
        return int(psutil.Process(self._process.pid).memory_info().rss)

    def captured(self) -> dict[str, int] | None:
        """Ask what the variant counted since it started; None when it cannot tell."""
        counts: dict[str, int] | None = self._ask({"do": "captured"})
        return counts

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.stdin is not None:
            self._process.stdin.close()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._log.close()

    def _ask(self, command: Mapping[str, object]) -> Any:  # noqa: ANN401 -- JSON
        if self._process.stdin is None:
            raise RuntimeError("a worker's standard input is a pipe")
        self._process.stdin.write(json.dumps(command) + "\n")
        self._process.stdin.flush()
        return self._read()

    def _read(self) -> Any:  # noqa: ANN401 -- JSON
        if self._process.stdout is None:
            raise RuntimeError("a worker's standard output is a pipe")
        line = self._process.stdout.readline()
        if not line:
            log = Path(self._log.name).read_text(errors="replace")[-LOG_SHOWN:]
            raise RuntimeError(f"the worker of {self.variant.name} ended:\n{log}")
        return json.loads(line)


class SinkProcess:
    """A started :mod:`benchmarks.overhead.sink`; a context manager."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.overhead.sink"],
            stdout=subprocess.PIPE,
            text=True,
        )
        if self._process.stdout is None:
            raise RuntimeError("the sink's standard output is a pipe")
        self._port = int(self._process.stdout.readline())

    def url_of(self, variant: Variant) -> str:
        """Return where ``variant`` sends to; the path tells the sink who it is."""
        return f"http://127.0.0.1:{self._port}/{variant.name}"

    def take(self, variant: Variant) -> dict[str, int]:
        """Return what arrived from ``variant`` since the last call."""
        connection = HTTPConnection("127.0.0.1", self._port, timeout=60)
        with closing(connection):
            connection.request("GET", f"/{variant.name}")
            counts: dict[str, int] = json.load(connection.getresponse())
        return counts

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait()


def _clean_environment() -> dict[str, str]:
    """Drop what the caller's shell may say about telemetry: the variant alone decides."""
    foreign = ("OTEL_", "SITE_", "SENTRY_", "PRS_OTEL_", "PYTEST_")
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(foreign)
    }
