"""How long after the first failed request somebody has been told, by gunicorn with every default.

Each fault is another endpoint that fails from one moment on, at whatever moment between two
flushes and two evaluations that happens to be; a rule watches each endpoint. The webhook is
served by this process, a mail is a file that Django's backend writes.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Final

from benchmarks.measurement import Measurement, Subject
from benchmarks.micro.reading_server import ReadingServer

if TYPE_CHECKING:
    from pathlib import Path

    from benchmarks.options import Options

GROUP: Final = "from the first failed request to the message"
# A flush and an evaluation, each waited for as long as may be, and what either takes.
LIMIT: Final = 25.0
REQUESTS: Final = 5
SETTLES: Final = 20.0
GIVES_UP: Final = 60.0
LOOKS_EVERY: Final = 0.02
# No multiple of the intervals, so that faults begin at all moments between two evaluations.
PAUSE: Final = 7.3
RULE: Final = {
    "name": "failing",
    "metric": "http.server.request.error_rate",
    "by": ["http.route"],
    "window": "1m",
    "threshold": 0.5,
    "severity": "critical",
}


class Heard:
    """When the webhook was told of which endpoint (`time.monotonic`)."""

    def __init__(self) -> None:
        self.at: dict[str, float] = {}

    def note(self, body: bytes) -> None:
        """Take a document of the webhook channel."""
        now = time.monotonic()
        for alert in json.loads(body)["alerts"]:
            self.at.setdefault(alert["labels"].get("http.route", ""), now)


def measure(options: Options) -> list[Measurement]:
    """Let one endpoint after the other fail, once per round."""
    heard, mails = Heard(), options.directory / "mails"
    mails.mkdir()
    store = f"sqlite:///{options.directory}/store.sqlite3"
    hooked: list[float] = []
    mailed: list[float] = []
    with _webhook(heard) as url:
        alerting = {"CHANNELS": [{"type": "webhook", "url": url}, "email"]}
        server = ReadingServer(
            options.directory,
            store,
            hours=24,
            variables={
                "SITE_APPS": "prs_otel alerting",
                "SITE_ALERTING": json.dumps({**alerting, "RULES": [RULE]}),
                "SITE_MAILS": str(mails),
            },
        )
        with server:
            time.sleep(SETTLES)
            for number in range(options.rounds):
                route, began = f"/fails/{number}/", time.monotonic()
                for _ in range(REQUESTS):
                    _get(server.port, route)
                hooked.append(_waited(partial(heard.at.get, route)) - began)
                mailed.append(_waited(partial(_mailed_at, mails, route)) - began)
                time.sleep(PAUSE)
    return [
        Subject(GROUP, "by webhook", "s", LIMIT).median_of(hooked),
        Subject(GROUP, "by mail", "s", LIMIT).median_of(mailed),
    ]


def _waited(asked: Any) -> float:  # noqa: ANN401 - a function that tells when, once it does
    deadline = time.monotonic() + GIVES_UP
    while time.monotonic() < deadline:
        found: float | None = asked()
        if found is not None:
            return found
        time.sleep(LOOKS_EVERY)
    raise RuntimeError("nobody was told")


def _mailed_at(mails: Path, route: str) -> float | None:
    is_there = any(
        route in each.read_text(errors="replace") for each in mails.iterdir()
    )
    return time.monotonic() if is_there else None


def _get(port: int, path: str) -> None:
    connection = HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", path)
        connection.getresponse().read()
    finally:
        connection.close()


@contextmanager
def _webhook(heard: Heard) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            heard.note(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
