"""gunicorn with one worker that serves what a store holds, for as long as a block lasts."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from http.client import HTTPConnection
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, Self

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

HEALTH: Final = "/api/monitoring/system/health/"
STARTS_WITHIN: Final = 30.0
STOPS_WITHIN: Final = 15.0


class ReadingServer:
    """A context manager; `credential` lets in somebody on the staff.

    `site` is a module with an application, which run as a program makes the credential.
    """

    def __init__(
        self,
        directory: Path,
        store: str,
        *,
        hours: int,
        site: str = "benchmarks.site.reading",
        variables: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self.port = 0
        self.pid = 0
        self.credential = ""
        self._site = site
        self._log = directory / "server.log"
        self._environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith("OTEL_")},
            "DJANGO_SETTINGS_MODULE": "benchmarks.site.settings",
            "SITE_APPS": "prs_otel",
            "SITE_DATABASE": str(directory / "site.sqlite3"),
            "SITE_CONN_MAX_AGE": "600",
            "SITE_URLCONF": site,
            "SITE_MONITORING": json.dumps(
                {"STORE": store, "METRICS_RETENTION_HOURS": hours}
            ),
            **variables,
        }

    def __enter__(self) -> Self:
        """Make the database and the credential, and start the server."""
        done = subprocess.run(
            [sys.executable, "-m", self._site],
            capture_output=True,
            check=True,
            env=self._environment,
            text=True,
        )
        self.credential = done.stdout.strip()
        with (
            socket.create_server(("127.0.0.1", 0)) as listener,
            self._log.open("ab") as log,
        ):
            self.port = listener.getsockname()[1]
            self._process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "gunicorn"),
                    *("--bind", f"fd://{listener.fileno()}"),
                    f"{self._site}:application",
                ],
                env=self._environment,
                pass_fds=[listener.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        self.pid = self._process.pid
        self._wait_until_ready()
        return self

    def __exit__(self, *_: object) -> None:
        """End the server."""
        self._process.terminate()
        try:
            self._process.wait(STOPS_WITHIN)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + STARTS_WITHIN
        while self._process.poll() is None and time.monotonic() < deadline:
            connection = HTTPConnection("127.0.0.1", self.port, timeout=5)
            try:
                connection.request("GET", HEALTH)
                if connection.getresponse().status == 200:
                    return
            except OSError:
                time.sleep(0.1)
            finally:
                connection.close()
        raise RuntimeError(f"the server did not start:\n{self._log.read_text()}")
