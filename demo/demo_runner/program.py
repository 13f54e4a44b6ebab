"""The demo from beginning to end."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from demo_runner import verdict
from demo_runner.client import Client
from demo_runner.display import display_on
from demo_runner.interruption import Interrupted, interruptible
from demo_runner.judge import Ending, pronounce, settled_counts
from demo_runner.ledger import Ledger
from demo_runner.phases import SHORTEST_SECONDS
from demo_runner.readings import ReadingError, View
from demo_runner.server import DEMO, Server, ServerError, manage, serving
from demo_runner.traffic import Traffic
from demo_runner.visitor import SignInError
from demo_runner.watch import Watch
from demo_runner.workspace import WorkspaceError, workspace
from demo_site.rules import RULES

if TYPE_CHECKING:
    from demo_runner.frame import Moment

LOGIN = PASSWORD = "demo"  # noqa: S105
VISITORS = ("albatross1", "albatross2", "bluebell1", "bluebell2", "cobalt1", "cobalt2")
EXPECTED = tuple(str(rule["name"]) for rule in RULES)
FAILED, INTERRUPTED = 1, 128


def main() -> int:
    """Run the demo and return its exit code."""
    options = _options()
    try:
        with interruptible(), workspace(DEMO / ".state", keep=options.keep) as state:
            return 0 if _run(state, options) else FAILED
    except Interrupted as interruption:
        _say("Ended.")
        is_usual = interruption.signum == signal.SIGINT and options.duration is None
        return 0 if is_usual else INTERRUPTED + interruption.signum
    except (ReadingError, ServerError, SignInError, WorkspaceError) as problem:
        sys.stderr.write(f"{problem}\n")
        return FAILED


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--duration",
        type=_duration,
        help="end after so many seconds, with a verdict (default: at Ctrl-C)",
    )
    parser.add_argument("--port", type=int, default=0, help="default: a free one")
    parser.add_argument(
        "--keep", action="store_true", help="leave demo/.state to look into"
    )
    return parser.parse_args()


def _duration(text: str) -> float:
    seconds = float(text)
    if seconds < SHORTEST_SECONDS:
        raise argparse.ArgumentTypeError(
            f"alerts fire and resolve in no less than {SHORTEST_SECONDS:.0f} seconds"
        )
    return seconds


def _run(state: Path, options: argparse.Namespace) -> bool:
    _say("Preparing a database and a server …")
    manage("migrate", "--verbosity=0", monitored=False)
    manage("seed", f"--username={LOGIN}", f"--password={PASSWORD}", monitored=False)
    ledger = Ledger()
    with serving(state / "server.log", port=options.port) as server:
        server.wait_until_ready(Client(server.port, ledger))
        view = View(Client(server.port, ledger, token=_token()))
        traffic = Traffic(server.port, ledger, duration=options.duration)
        ending = Ending(options.duration, EXPECTED)
        moment = _watch(server, traffic, view, ending)
        _say("The visitors have gone; waiting for the last of their counts …")
        rows = settled_counts(ledger, view)
        findings = [
            *ending.findings(moment),
            *verdict.count_findings(rows),
            *verdict.missing_findings(ledger.missing()),
        ]
        return pronounce(rows, findings, mails=moment.mails)


def _watch(server: Server, traffic: Traffic, view: View, ending: Ending) -> Moment:
    """Show the demo to its end, and send the visitors home."""
    try:
        traffic.start(VISITORS, PASSWORD)
        with display_on(sys.stdout, _heading(server, ending.duration)) as display:
            watch = Watch(view, traffic, server.log.parent / "mail", display)
            return watch.until(ending.is_reached)
    finally:
        traffic.stop()


def _token() -> str:
    """Make a bearer token for the demo's own reading of the API."""
    command = ["manage_monitoring", "token", "create", "--format=json"]
    made = manage(*command, f"--user={LOGIN}", "--name=display", monitored=False)
    token: str = json.loads(made)["token"]
    return token


def _heading(server: Server, duration: float | None) -> list[str]:
    python = Path(sys.executable)
    if python.is_relative_to(Path.cwd()):
        python = python.relative_to(Path.cwd())
    manage_py = os.path.relpath(DEMO / "manage.py")
    return [
        f"Site        {server.address}/   (log in at /admin/ as {LOGIN} / {PASSWORD})",
        f"Dashboard   {server.address}/monitoring/",
        f"Monitoring  {server.address}/api/monitoring/performance/summary/?hours=1",
        f"Alerts      {server.address}/api/alerting/history/?hours=1",
        f"Elsewhere   {python} {manage_py} manage_monitoring summary --hours 1",
        "Ctrl-C ends it and removes what it wrote."
        if duration is None
        else "Pages that you open would be counted too: look on, and wait for the verdict.",
    ]


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
