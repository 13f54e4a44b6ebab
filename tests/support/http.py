"""A client that sends exactly what a test says and counts what comes back."""

from __future__ import annotations

import http.client
import json
from collections import Counter
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final

BROKEN: Final = 0  # the status of a request whose connection broke


@dataclass(frozen=True, slots=True)
class Response:
    """What a server answered."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def worker(self) -> int:
        """The process id of the worker that answered."""
        return int(self.headers["X-Worker"])

    def json(self) -> Any:
        """Return the document in the body."""
        return json.loads(self.body)


@dataclass(frozen=True, slots=True)
class Client:
    """Send requests to a port of this host, each on a connection of its own."""

    port: int
    seconds: float = 30.0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def get(self, path: str, **headers: str) -> Response:
        """Send a GET request."""
        return self.send("GET", path, headers=headers)

    def send(
        self,
        method: str,
        path: str,
        *,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Response:
        """Send a request; raise `OSError` or `HTTPException` when it breaks off."""
        connection = http.client.HTTPConnection(
            "127.0.0.1", self.port, timeout=self.seconds
        )
        try:
            connection.request(method, path, body=body, headers=dict(headers or {}))
            answer = connection.getresponse()
            return Response(answer.status, dict(answer.getheaders()), answer.read())
        finally:
            connection.close()

    def get_all(
        self, paths: Iterable[str], *, at_once: int = 4
    ) -> Counter[tuple[str, int]]:
        """Send a GET request for each path; count the answers by path and status."""

        def outcome(path: str) -> tuple[str, int]:
            try:
                return path, self.get(path).status
            except (OSError, http.client.HTTPException):
                return path, BROKEN

        with ThreadPoolExecutor(at_once) as pool:
            return Counter(pool.map(outcome, paths))
