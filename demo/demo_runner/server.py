"""The demo's server: started, and ended whatever happens."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from demo_runner.client import HOST, Call
from demo_runner.interruption import held

if TYPE_CHECKING:
    from collections.abc import Iterator

    from demo_runner.client import Client

DEMO = Path(__file__).resolve().parent.parent
HEALTH = "/api/monitoring/system/health/"
STARTS_WITHIN = 30.0
STOPS_WITHIN = 15.0
# What the user's shell may hold that would make the demo another one.
FOREIGN = {"DJANGO_SETTINGS_MODULE", "GUNICORN_CMD_ARGS", "PORT", "WEB_CONCURRENCY"}


class ServerError(Exception):
    """The site could not be prepared or started; the message is for people."""


def manage(*arguments: str, monitored: bool = True) -> str:
    """Run a management command of the site and return what it says."""
    done = subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=DEMO,
        env=_environment(monitored=monitored),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise ServerError(f"manage.py {arguments[0]} failed:\n{done.stderr}")
    return done.stdout


@dataclass(frozen=True, slots=True)
class Server:
    """gunicorn under the launcher."""

    port: int
    log: Path
    process: subprocess.Popen[bytes]

    @property
    def address(self) -> str:
        """Where it listens, as a browser wants it."""
        return f"http://{HOST}:{self.port}"

    def wait_until_ready(self, client: Client) -> None:
        """Wait until it answers; raises `ServerError` with the end of its log."""
        deadline = time.monotonic() + STARTS_WITHIN
        while self.process.poll() is None and time.monotonic() < deadline:
            if client.send(Call(HEALTH)) is not None:
                return
        raise ServerError(f"The server did not start:\n{self.log_tail()}")

    def log_tail(self, lines: int = 20) -> str:
        """Return the end of what it logged."""
        text = self.log.read_text(errors="replace")
        return "\n".join(text.splitlines()[-lines:])


@contextmanager
def serving(log: Path, *, port: int = 0) -> Iterator[Server]:
    """Run a server while the block runs; port 0 takes a free one."""
    with held():
        server = _start(log, port)
    try:
        yield server
    finally:
        with held():
            _stop(server.process)


def _start(log: Path, port: int) -> Server:
    # Beside this Python: nobody needs to have activated its environment.
    launcher, gunicorn = (
        Path(sys.executable).with_name(name)
        for name in ("opentelemetry-instrument", "gunicorn")
    )
    # Bound here and handed over, the port cannot be lost to somebody else.
    with socket.create_server((HOST, port)) as listener, log.open("ab") as output:
        process = subprocess.Popen(
            [launcher, gunicorn, "--bind", f"fd://{listener.fileno()}"],
            # Where gunicorn finds its gunicorn.conf.py.
            cwd=DEMO,
            env=_environment(),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            pass_fds=[listener.fileno()],
            # A Ctrl-C on the terminal is for run.py, which then ends the server.
            process_group=0,
        )
        return Server(listener.getsockname()[1], log, process)


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOPS_WITHIN)
    except subprocess.TimeoutExpired:
        sys.stderr.write("The server does not end by itself: it is killed.\n")
    # Whoever is left of its group: after an ordinary end, nobody.
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return
    process.wait()


def _environment(*, monitored: bool = True) -> dict[str, str]:
    environment = {k: v for k, v in os.environ.items() if k not in FOREIGN}
    # The launcher and the workers import the site from its own directory.
    paths = [str(DEMO), os.environ.get("PYTHONPATH", "")]
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, paths))
    environment["DJANGO_SETTINGS_MODULE"] = "demo_site.settings"
    environment["DEMO_MONITORED"] = "yes" if monitored else "no"
    return environment
