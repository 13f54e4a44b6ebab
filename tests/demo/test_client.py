from __future__ import annotations

import threading
from collections.abc import Iterator
from email.message import Message
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from demo_runner.client import Answer, Call, Client
from demo_runner.ledger import Ledger, Series, Tally


class Site(BaseHTTPRequestHandler):
    """Sets a CSRF cookie, fails where asked, and remembers what it was sent."""

    received: list[tuple[str, Message, bytes]]

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.received.append((self.path, self.headers, body))
        if self.path == "/hangs-up/":
            return
        self.send_response(500 if self.path == "/fails/" else 200)
        self.send_header("Set-Cookie", "csrftoken=secret; Path=/")
        self.send_header("Set-Cookie", "session=me; HttpOnly")
        self.end_headers()
        self.wfile.write(b'{"here": true}')

    def log_message(self, *_: object) -> None:
        """Keep the tests quiet."""


@pytest.fixture
def site() -> Iterator[HTTPServer]:
    Site.received = []
    with HTTPServer(("127.0.0.1", 0), Site) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def ledger() -> Ledger:
    return Ledger()


def client_of(site: HTTPServer, ledger: Ledger, **options: Any) -> Client:
    return Client(site.server_port, ledger, **options)


def test_a_response_is_returned_and_booked_under_its_route(
    site: HTTPServer, ledger: Ledger
) -> None:
    answer = client_of(site, ledger).send(Call("/deals/<int:pk>/", "/deals/7/"))
    assert answer == Answer(200, b'{"here": true}')
    assert answer.json() == {"here": True}
    assert ledger.tallies() == {Series("/deals/<int:pk>/", "GET"): Tally(1, 0)}


def test_an_error_is_booked_as_one(site: HTTPServer, ledger: Ledger) -> None:
    client_of(site, ledger).send(Call("/fails/"))
    assert ledger.tallies() == {Series("/fails/", "GET"): Tally(1, 1)}


def test_a_response_that_does_not_come_is_booked_as_missing(
    site: HTTPServer, ledger: Ledger
) -> None:
    assert client_of(site, ledger).send(Call("/hangs-up/")) is None
    assert ledger.tallies() == {}
    assert sum(ledger.missing().values()) == 1


def test_cookies_come_back_and_prove_a_form(site: HTTPServer, ledger: Ledger) -> None:
    client = client_of(site, ledger)
    client.send(Call("/login/"))
    client.send(Call("/login/", method="POST", form={"username": "me too"}))
    _, headers, body = Site.received[-1]
    assert headers["Cookie"] == "csrftoken=secret; session=me"
    assert headers["X-CSRFToken"] == "secret"
    assert body == b"username=me+too"


def test_a_token_is_sent_as_its_bearer(site: HTTPServer, ledger: Ledger) -> None:
    client_of(site, ledger, token="prs_1_2").send(Call("/"))
    assert Site.received[0][1]["Authorization"] == "Bearer prs_1_2"
