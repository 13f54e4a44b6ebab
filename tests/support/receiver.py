"""An HTTP server on port 0 that keeps what it is sent, and answers as it is told to."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Received:
    """One request."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        """Return the document in the body."""
        return json.loads(self.body)


@dataclass
class Receiver:
    """What has come; `status`, `headers` and `body` are the answer to everything.

    While it `hangs` it takes requests and does not answer; while it is `deaf` it does not
    even take them, and only counts who knocks.
    """

    port: int = 0
    requests: list[Received] = field(default_factory=list)
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b"fine"
    hangs: threading.Event | None = None
    deaf: threading.Event | None = None
    knocks: int = 0

    def recovers(self) -> None:
        """Let go of whoever waits, and answer from now on."""
        waiting, self.hangs, self.deaf = (self.hangs, self.deaf), None, None
        for each in waiting:
            if each is not None:
                each.set()

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"


class _Handler(BaseHTTPRequestHandler):
    receiver: Receiver

    def do_POST(self) -> None:
        receiver = self.receiver
        if (deaf := receiver.deaf) is not None:
            receiver.knocks += 1
            deaf.wait(30)
            return
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {name.title(): value for name, value in self.headers.items()}
        receiver.requests.append(Received(self.command, self.path, headers, body))
        if (hangs := receiver.hangs) is not None:
            hangs.wait(30)
            return
        self.send_response(receiver.status)
        for name, value in receiver.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(receiver.body)))
        self.end_headers()
        self.wfile.write(receiver.body)

    def do_GET(self) -> None:
        self.do_POST()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name
        """Stay silent."""


@contextmanager
def receiver() -> Iterator[Receiver]:
    """Serve for as long as the block lasts."""
    kept = Receiver()
    handler = type("Handler", (_Handler,), {"receiver": kept})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        kept.port = server.server_address[1]
        thread = threading.Thread(
            target=server.serve_forever, args=(0.01,), daemon=True
        )
        thread.start()
        try:
            yield kept
        finally:
            kept.recovers()
            server.shutdown()
            thread.join()
