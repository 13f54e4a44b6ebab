"""An OTLP receiver that keeps what it was sent, on a port of its own."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import (
    ExportLogsServiceRequest,
)
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

from tests.support.wait import wait_until

KINDS: Final = ("UNSPECIFIED", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER")
STATUSES: Final = ("UNSET", "OK", "ERROR")


@dataclass(frozen=True, slots=True)
class ReceivedSpan:
    """A span as it went over the wire."""

    name: str
    kind: str
    scope: str
    trace_id: str
    span_id: str
    parent_id: str
    start: int
    end: int
    attributes: Mapping[str, Any]
    status: tuple[str, str]
    events: tuple[tuple[str, Mapping[str, Any]], ...]
    resource: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ReceivedPoint:
    """One series of a metric, as it went over the wire; a histogram's value is its count."""

    name: str
    unit: str
    kind: str
    attributes: Mapping[str, Any]
    resource: Mapping[str, Any]
    value: float
    total: float
    exemplars: tuple[str, ...]

    @property
    def series(self) -> tuple[object, ...]:
        """What tells it from other series."""
        attributes = tuple(sorted(self.attributes.items()))
        return self.resource["service.instance.id"], self.name, attributes


@dataclass(frozen=True, slots=True)
class ReceivedEvent:
    """A log record as it went over the wire; an event has a name."""

    name: str
    at: int
    severity: str
    body: str
    trace_id: str
    attributes: Mapping[str, Any]


@dataclass(slots=True)
class Collector:
    """What was received so far.

    While `status` is another, everything is refused with it; while it is `held`, it takes
    requests and does not answer.
    """

    port: int
    status: int = 200
    refused: int = 0
    held: threading.Event | None = None
    waiting: int = 0
    spans: list[ReceivedSpan] = field(default_factory=list)
    points: list[ReceivedPoint] = field(default_factory=list)
    logs: list[ReceivedEvent] = field(default_factory=list)
    """All log records; those with a name are `events` too."""
    events: list[ReceivedEvent] = field(default_factory=list)
    headers: list[Mapping[str, str]] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    """Whatever was sent here, of any signal, as it was before compression."""

    def recovers(self) -> None:
        """Let go of whoever waits, and take everything from now on."""
        held, self.held, self.status = self.held, None, 200
        if held is not None:
            held.set()

    def variables(self) -> dict[str, str]:
        """Return the environment that makes a process export here, soon."""
        return {
            "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{self.port}",
            "OTEL_METRICS_EXPORTER": "none",
            "OTEL_LOGS_EXPORTER": "none",
            "OTEL_BSP_SCHEDULE_DELAY": "100",
        }

    def latest(self, name: str) -> list[ReceivedPoint]:
        """Return the latest point of each series of a metric."""
        found = {point.series: point for point in self.points if point.name == name}
        return list(found.values())

    def requests(self, count: int) -> list[ReceivedSpan]:
        """Wait for `count` spans of requests and return them by start."""
        self.wait_for(count, kind="SERVER")
        found = [span for span in self.spans if span.kind == "SERVER"]
        return sorted(found, key=lambda span: span.start)

    def queries(self, request: ReceivedSpan) -> list[ReceivedSpan]:
        """Return the spans of a request's queries by start."""
        found = [span for span in self.spans if span.parent_id == request.span_id]
        return sorted(found, key=lambda span: span.start)

    def wait_for(self, count: int, *, kind: str) -> None:
        """Wait until so many spans of a kind have been received."""
        wait_until(
            lambda: sum(span.kind == kind for span in self.spans) >= count,
            what=lambda: f"{count} {kind} spans; received {self.spans}",
        )


@contextmanager
def collecting() -> Iterator[Collector]:
    """Receive spans for the length of the block."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    collector = _Handler.collectors[server.server_port] = Collector(server.server_port)
    thread = threading.Thread(
        target=server.serve_forever, kwargs={"poll_interval": 0.05}
    )
    thread.start()
    try:
        yield collector
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
        del _Handler.collectors[server.server_port]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    collectors: Final[dict[int, Collector]] = {}

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        collector = self.collectors[self.server.server_address[1]]  # type: ignore[index]
        if (held := collector.held) is not None:
            collector.waiting += 1
            held.wait(30)
            return
        if collector.status != 200:
            collector.refused += 1
            self.send_response(collector.status)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        collector.bodies.append(body)
        collector.headers.append({k.lower(): v for k, v in self.headers.items()})
        if self.path == "/v1/traces":
            received = _received(ExportTraceServiceRequest.FromString(body))
            collector.spans.extend(received)
        if self.path == "/v1/metrics":
            points = _points(ExportMetricsServiceRequest.FromString(body))
            collector.points.extend(points)
        if self.path == "/v1/logs":
            logs = list(_logs(ExportLogsServiceRequest.FromString(body)))
            collector.logs.extend(logs)
            collector.events.extend(each for each in logs if each.name)
        answer = ExportTraceServiceResponse().SerializeToString()
        self.send_response(200)
        self.send_header("Content-Type", "application/x-protobuf")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def _received(message: ExportTraceServiceRequest) -> Iterator[ReceivedSpan]:
    for resource in message.resource_spans:
        of_resource = _attributes(resource.resource.attributes)
        for scope in resource.scope_spans:
            for span in scope.spans:
                yield ReceivedSpan(
                    name=span.name,
                    kind=KINDS[span.kind],
                    scope=scope.scope.name,
                    trace_id=span.trace_id.hex(),
                    span_id=span.span_id.hex(),
                    parent_id=span.parent_span_id.hex(),
                    start=span.start_time_unix_nano,
                    end=span.end_time_unix_nano,
                    attributes=_attributes(span.attributes),
                    status=(STATUSES[span.status.code], span.status.message),
                    events=tuple(
                        (event.name, _attributes(event.attributes))
                        for event in span.events
                    ),
                    resource=of_resource,
                )


def _points(message: ExportMetricsServiceRequest) -> Iterator[ReceivedPoint]:
    for resource in message.resource_metrics:
        of_resource = _attributes(resource.resource.attributes)
        for scope in resource.scope_metrics:
            for metric in scope.metrics:
                kind = metric.WhichOneof("data") or ""
                for point in getattr(metric, kind).data_points:
                    is_histogram = kind == "histogram"
                    yield ReceivedPoint(
                        name=metric.name,
                        unit=metric.unit,
                        kind=kind,
                        attributes=_attributes(point.attributes),
                        resource=of_resource,
                        value=point.count
                        if is_histogram
                        else point.as_double or point.as_int,
                        total=point.sum if is_histogram else 0.0,
                        exemplars=tuple(
                            each.trace_id.hex() for each in point.exemplars
                        ),
                    )


def _logs(message: ExportLogsServiceRequest) -> Iterator[ReceivedEvent]:
    for resource in message.resource_logs:
        for scope in resource.scope_logs:
            for record in scope.log_records:
                yield ReceivedEvent(
                    name=record.event_name,
                    at=record.time_unix_nano,
                    severity=record.severity_text,
                    body=record.body.string_value,
                    trace_id=record.trace_id.hex(),
                    attributes=_attributes(record.attributes),
                )


def _attributes(pairs: Any) -> dict[str, Any]:
    return {
        pair.key: getattr(pair.value, pair.value.WhichOneof("value")) for pair in pairs
    }
