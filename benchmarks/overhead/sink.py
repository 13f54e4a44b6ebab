"""A local receiver of OTLP and of Sentry envelopes that counts what arrived.

Bodies are only kept while blocks are timed; they are parsed when the counts are asked for.
"""

from __future__ import annotations

import gzip
import json
import sys
import zlib
from collections import Counter, defaultdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock

from opentelemetry.proto.collector.trace.v1 import trace_service_pb2
from opentelemetry.proto.trace.v1.trace_pb2 import Span

Body = tuple[str, str, bytes]  # path, content encoding, as sent


class Received:
    """The bodies that arrived, by sender: the first part of their path. Thread-safe."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._bodies: defaultdict[str, list[Body]] = defaultdict(list)

    def add(self, body: Body) -> None:
        """Keep ``body`` until it is counted."""
        with self._lock:
            self._bodies[_sender(body[0])].append(body)

    def take(self, path: str) -> dict[str, int]:
        """Count what the sender at ``path`` has sent since the last call."""
        with self._lock:
            bodies = self._bodies.pop(_sender(path), [])
        counts: Counter[str] = Counter(requests=0, queries=0, bytes=0)
        for target, encoding, data in bodies:
            counts["bytes"] += len(data)
            if target.endswith("/v1/traces"):
                counts.update(_count_spans(_decoded(encoding, data)))
            elif target.endswith("/envelope/"):
                counts.update(_count_transactions(_decoded(encoding, data)))
        return dict(counts)


def _sender(path: str) -> str:
    return path.split("/")[1]


def _decoded(encoding: str, data: bytes) -> bytes:
    if encoding == "gzip":
        return gzip.decompress(data)
    return zlib.decompress(data) if encoding == "deflate" else data


def _count_spans(data: bytes) -> dict[str, int]:
    export = trace_service_pb2.ExportTraceServiceRequest.FromString(data)
    kinds = Counter(
        span.kind
        for resource in export.resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
    )
    return {
        "requests": kinds[Span.SPAN_KIND_SERVER],
        "queries": kinds[Span.SPAN_KIND_CLIENT],
    }


def _count_transactions(data: bytes) -> dict[str, int]:
    counts = {"requests": 0, "queries": 0}
    for line in data.splitlines():
        item = json.loads(line)
        if item.get("type") == "transaction" and "spans" in item:
            counts["requests"] += 1
            counts["queries"] += sum(map(_is_query, item["spans"]))
    return counts


def _is_query(span: dict[str, str]) -> bool:
    return span.get("op") == "db" and span.get("description") != "connect"


class Handler(BaseHTTPRequestHandler):
    """Keep every POST; answer a GET of a sender's name with its counts."""

    protocol_version = "HTTP/1.1"  # exporters keep their connection open
    # One packet per answer, or a client waits for a delayed acknowledgement.
    wbufsize = -1
    received: Received

    def do_POST(self) -> None:
        """Keep the body and accept it."""
        data = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.received.add((self.path, self.headers.get("Content-Encoding", ""), data))
        self._answer(b"{}" if "envelope" in self.path else b"")

    def do_GET(self) -> None:
        """Answer what that sender has sent since the last GET."""
        self._answer(json.dumps(self.received.take(self.path)).encode())

    def _answer(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing: thousands of lines would cost the run its quiet machine."""


def serve() -> None:
    """Listen on a free port, print it, and serve until the process is ended."""
    Handler.received = Received()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    sys.stdout.write(f"{server.server_port}\n")
    sys.stdout.flush()
    server.serve_forever()


if __name__ == "__main__":
    serve()
