"""An HTTP client that books every response it receives."""

from __future__ import annotations

import http.client
import json
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from demo_runner.ledger import Series

if TYPE_CHECKING:
    from collections.abc import Mapping

    from demo_runner.ledger import Ledger

# Longer than any page takes, even behind a queue of slow ones.
TIMEOUT = 30.0
HOST = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Call:
    """A request, and the route under which the view is going to count it."""

    endpoint: str
    path: str = ""
    method: str = "GET"
    form: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Answer:
    """A response."""

    status: int
    body: bytes

    def json(self) -> dict[str, Any]:
        """Return the document in the body."""
        document: dict[str, Any] = json.loads(self.body)
        return document


class Client:
    """Talks to the server as one browser does; belongs to one thread."""

    def __init__(self, port: int, ledger: Ledger, *, token: str = "") -> None:
        self.cookies = SimpleCookie()
        self._port = port
        self._ledger = ledger
        self._token = token

    def send(self, call: Call) -> Answer | None:
        """Make a call; None when the response did not come, which is booked too."""
        try:
            answer = self._exchange(call)
        except (OSError, http.client.HTTPException) as problem:
            self._ledger.unanswered(f"{type(problem).__name__}: {problem}")
            return None
        self._ledger.answered(Series(call.endpoint, call.method), answer.status)
        return answer

    def _exchange(self, call: Call) -> Answer:
        # A connection for each call, so that calls spread over all workers.
        connection = http.client.HTTPConnection(HOST, self._port, timeout=TIMEOUT)
        try:
            body = urlencode(call.form) if call.form else None
            path = call.path or call.endpoint
            connection.request(call.method, path, body, self._headers(call))
            response = connection.getresponse()
            for cookie in response.headers.get_all("Set-Cookie", []):
                self.cookies.load(cookie)
            return Answer(response.status, response.read())
        finally:
            connection.close()

    def _headers(self, call: Call) -> dict[str, str]:
        headers = {"Accept": "application/json"}
        if self.cookies:
            pairs = (f"{name}={morsel.value}" for name, morsel in self.cookies.items())
            headers["Cookie"] = "; ".join(pairs)
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        if call.method == "POST":
            headers["Content-Type"] = "application/x-www-form-urlencoded"
            if token := self.cookies.get("csrftoken"):
                headers["X-CSRFToken"] = token.value
        return headers
