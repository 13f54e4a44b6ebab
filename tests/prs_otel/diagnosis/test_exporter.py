from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from prs_otel.diagnosis import exporter
from prs_otel.diagnosis.finding import Finding
from tests.support.collector import collecting
from tests.support.servers import free_port
from tests.support.surroundings import surroundings


def found(**environment: str) -> list[Finding]:
    return list(exporter.examine(surroundings(environment=environment)))


def only(endpoint: str, **environment: str) -> Finding:
    (finding,) = found(
        OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=endpoint,
        **environment,
    )
    return finding


@contextmanager
def answering(status: int) -> Iterator[tuple[int, list[dict[str, str]]]]:
    """Answer every export with `status`; give the port and the headers received."""
    headers: list[dict[str, str]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            headers.append({k.lower(): v for k, v in self.headers.items()})
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's
            """Keep quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server.server_address[1], headers
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def silent() -> Iterator[int]:
    """Return the port of somebody who accepts and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def test_without_an_endpoint_nothing_is_exported_and_nothing_need_be() -> None:
    (finding,) = found()

    assert finding.level == "ok"


def test_a_collector_that_takes_exports_is_well_and_is_sent_nothing() -> None:
    with collecting() as collector:
        (finding,) = found(**collector.variables())

    assert finding.level == "ok"
    assert "takes traces" in finding.message
    assert collector.spans == []


def test_every_signal_of_a_general_endpoint_is_looked_at() -> None:
    with answering(200) as (port, headers):
        findings = found(OTEL_EXPORTER_OTLP_ENDPOINT=f"http://127.0.0.1:{port}/")

    assert [each.level for each in findings] == ["ok"] * 3
    assert len(headers) == 3


@pytest.mark.parametrize(
    ("variable", "path"),
    [
        ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "/of/traces"),
        ("OTEL_EXPORTER_OTLP_LOGS_ENDPOINT", "/of/logs/"),
    ],
)
def test_the_url_of_a_single_signal_is_taken_as_it_is(variable: str, path: str) -> None:
    url = f"http://127.0.0.1:4318{path}"

    (target,) = exporter.targets({variable: url})

    assert target.url == url


def test_where_nobody_listens_it_is_said() -> None:
    port = free_port()

    finding = only(f"http://127.0.0.1:{port}/v1/traces")

    assert finding.level == "warning"
    assert f"at 127.0.0.1:{port}: nobody listens there" in finding.message
    assert "not affected" in finding.message


def test_a_name_that_nobody_knows_is_a_mistake_in_the_endpoint() -> None:
    assert "its name is not known" in only("http://collector.invalid/").message


def test_who_does_not_answer_is_not_waited_for(
    silent: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exporter, "TIMEOUT", 0.05)

    assert "no answer within" in only(f"http://127.0.0.1:{silent}/").message


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (401, "OTEL_EXPORTER_OTLP_HEADERS"),
        (404, "without /v1/traces"),
        (503, "Look at the collector's log"),
    ],
)
def test_a_collector_that_refuses_is_quoted(status: int, words: str) -> None:
    with answering(status) as (port, _):
        finding = only(f"http://127.0.0.1:{port}/v1/traces")

    assert f"it answers {status}" in finding.message
    assert words in finding.remedy


def test_the_headers_of_the_environment_are_sent() -> None:
    with answering(200) as (port, headers):
        finding = only(
            f"http://127.0.0.1:{port}/",
            OTEL_EXPORTER_OTLP_HEADERS="authorization=Bearer%20secret",
        )

    assert headers[0]["authorization"] == "Bearer secret"
    assert "secret" not in finding.message


def test_a_server_that_speaks_no_tls_is_said_to(silent: int) -> None:
    with answering(200) as (port, _):
        finding = only(f"https://127.0.0.1:{port}/")

    assert "certificate is not accepted" in finding.message


@pytest.mark.parametrize("protocol", ["grpc", ""])
def test_grpc_is_connected_to(protocol: str, silent: int) -> None:
    given = {"OTEL_EXPORTER_OTLP_TRACES_PROTOCOL": protocol} if protocol else {}
    port = silent if protocol else exporter._GRPC_PORT

    finding = only(f"127.0.0.1:{port}", **given)

    # Whether somebody listens on the usual port of this machine is not known here.
    assert f"at 127.0.0.1:{port}" in finding.message
    assert finding.level == "ok" or not protocol


def test_the_same_endpoint_is_asked_once_by_grpc() -> None:
    port = free_port()

    findings = found(
        OTEL_EXPORTER_OTLP_ENDPOINT=f"http://127.0.0.1:{port}",
        OTEL_EXPORTER_OTLP_PROTOCOL="grpc",
    )

    assert len(findings) == 3
    assert len({each.message.partition(" ")[2] for each in findings}) == 1


@pytest.mark.parametrize("endpoint", ["ftp://collector/", "http://collector:port/"])
def test_what_is_no_endpoint_is_a_finding(endpoint: str) -> None:
    assert only(endpoint).level == "warning"


def test_a_password_in_the_endpoint_is_not_repeated() -> None:
    finding = only(f"http://user:secret@127.0.0.1:{free_port()}/")

    assert "secret" not in f"{finding.message} {finding.remedy}"
