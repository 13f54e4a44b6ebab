"""Serve requests in this process, the way a single worker would, without a socket.

A socket and a load generator would add their own, larger and noisier, CPU to each request.
"""

from __future__ import annotations

import asyncio
import io
import sys
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.overhead.plan import Interface

HOST = "bench.example"
USER_AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
ORGANIZATION = "7"


class Server(Protocol):
    """Something that serves a path a number of times."""

    def serve(self, path: str, times: int) -> None:
        """Serve GET ``path`` that often; raises RuntimeError unless each answer is 200."""


def build(interface: Interface) -> Server:
    """Build the site's handler; the variant has to be installed by now."""
    if interface == "wsgi":
        from django.core.wsgi import get_wsgi_application

        return WsgiLoop(get_wsgi_application())
    from django.core.asgi import get_asgi_application

    return AsgiLoop(get_asgi_application())


class WsgiLoop:
    """Call a WSGI application with what gunicorn would put into its environ."""

    def __init__(self, application: Callable[..., Any]) -> None:
        self._application = application
        self._status = ""

    def serve(self, path: str, times: int) -> None:
        """Serve GET ``path`` that often."""
        for _ in range(times):
            response = self._application(_environ(path), self._start_response)
            for _chunk in response:
                pass
            response.close()
            _require(self._status.startswith("200"), path, self._status)

    def _start_response(self, status: str, *_: object) -> None:
        self._status = status


class AsgiLoop:
    """Call an ASGI application with what uvicorn would put into its scope, on one loop."""

    def __init__(self, application: Callable[..., Any]) -> None:
        self._application = application
        self._loop = asyncio.new_event_loop()

    def serve(self, path: str, times: int) -> None:
        """Serve GET ``path`` that often."""
        self._loop.run_until_complete(self._serve(path, times))

    async def _serve(self, path: str, times: int) -> None:
        for _ in range(times):
            exchange = Exchange()
            await self._application(_scope(path), exchange.receive, exchange.send)
            _require(exchange.status == 200, path, str(exchange.status))


class Exchange:
    """One request without a body, and the status of its answer."""

    def __init__(self) -> None:
        self.status = 0
        self._is_received = False
        self._never = asyncio.Event()

    async def receive(self) -> dict[str, object]:
        """Give the empty body once, then stay connected."""
        if self._is_received:
            await self._never.wait()
        self._is_received = True
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(self, message: dict[str, Any]) -> None:
        """Note the status."""
        if message["type"] == "http.response.start":
            self.status = message["status"]


def _require(succeeded: bool, path: str, status: str) -> None:
    if not succeeded:
        raise RuntimeError(f"{path} answered {status}")


def _environ(path: str) -> dict[str, object]:
    return {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": path,
        "RAW_URI": path,
        "QUERY_STRING": "",
        "SCRIPT_NAME": "",
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "8000",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "REMOTE_PORT": "51234",
        "HTTP_HOST": HOST,
        "HTTP_USER_AGENT": USER_AGENT,
        "HTTP_ACCEPT": "*/*",
        "HTTP_X_ORGANIZATION": ORGANIZATION,
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": False,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }


def _scope(path: str) -> dict[str, object]:
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [
            (b"host", HOST.encode()),
            (b"user-agent", USER_AGENT.encode()),
            (b"accept", b"*/*"),
            (b"x-organization", ORGANIZATION.encode()),
        ],
        "client": ("127.0.0.1", 51234),
        "server": ("127.0.0.1", 8000),
        "extensions": {},
    }
