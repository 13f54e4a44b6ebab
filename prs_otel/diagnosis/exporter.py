"""Whether the collector can be reached that spans are to be exported to."""

from __future__ import annotations

import http.client
import socket
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

from opentelemetry.util.re import parse_env_headers

from prs_otel.diagnosis.finding import Finding

if TYPE_CHECKING:
    from prs_otel.diagnosis.surroundings import Surroundings

TIMEOUT: Final = 2.0
_ENDPOINT: Final = "OTEL_EXPORTER_OTLP_ENDPOINT"
_GRPC_PORT: Final = 4317
_PORTS: Final = {"http": 80, "https": 443}
_NOT_AFFECTED: Final = "what is shown here is not affected"


@dataclass(frozen=True, slots=True)
class Target:
    """Where one signal goes: `url` as requests are sent to it, or a gRPC endpoint."""

    signal: str
    url: str
    is_grpc: bool

    @property
    def place(self) -> str:
        """Return host and port, without any password that the URL may have."""
        parts = urlsplit(self.url)
        usual = _PORTS.get(parts.scheme, _GRPC_PORT)
        return f"{parts.hostname}:{_port(self.url) or usual}"


def examine(around: Surroundings) -> Iterator[Finding]:
    """Send an empty export to each endpoint that the server's environment names."""
    environment = around.server_environment
    found = list(targets(environment))
    if not found:
        message = f"No {_ENDPOINT} is set: nothing is exported, and nothing need be."
        yield Finding("exporter", "ok", message)
    answers: dict[tuple[str, bool], tuple[str, str] | None] = {}
    for target in found:
        key = (target.place if target.is_grpc else target.url, target.is_grpc)
        if key not in answers:
            answers[key] = trouble(target, environment)
        yield _finding(target, answers[key])


def trouble(target: Target, environment: Mapping[str, str]) -> tuple[str, str] | None:
    """Return what keeps an export from arriving and what to do; None when nothing does."""
    try:
        if target.is_grpc:
            _connect(target)
        else:
            _post(target, environment)
    except HTTPError as error:
        with error:
            return _refusal(error.code)
    except (OSError, ValueError, http.client.HTTPException) as error:
        return _unreachable(error)
    return None


def targets(environment: Mapping[str, str]) -> Iterator[Target]:
    """Yield where each signal goes, by the standard variables."""
    general = environment.get(_ENDPOINT, "").strip()
    for signal in ("traces", "metrics", "logs"):
        name = signal.upper()
        own = environment.get(f"OTEL_EXPORTER_OTLP_{name}_ENDPOINT", "").strip()
        endpoint = own or general
        if endpoint and environment.get(f"OTEL_{name}_EXPORTER", "otlp") == "otlp":
            yield _target(signal, own, general, environment)


def _target(
    signal: str, own: str, general: str, environment: Mapping[str, str]
) -> Target:
    endpoint = own or general
    url = endpoint if "://" in endpoint else f"http://{endpoint}"
    protocol = environment.get(
        f"OTEL_EXPORTER_OTLP_{signal.upper()}_PROTOCOL",
        environment.get("OTEL_EXPORTER_OTLP_PROTOCOL", ""),
    )
    if protocol == "grpc" or (not protocol and _port(url) == _GRPC_PORT):
        return Target(signal, url, is_grpc=True)
    # The path of a general endpoint is completed, that of a signal's own is not.
    return Target(
        signal, url if own else f"{url.rstrip('/')}/v1/{signal}", is_grpc=False
    )


def _port(url: str) -> int | None:
    try:
        return urlsplit(url).port
    except ValueError:
        return None


def _connect(target: Target) -> None:
    host, _, port = target.place.rpartition(":")
    socket.create_connection((host, int(port)), timeout=TIMEOUT).close()


def _post(target: Target, environment: Mapping[str, str]) -> None:
    if urlsplit(target.url).scheme not in _PORTS:
        raise ValueError("it is no http:// or https:// URL")
    headers = parse_env_headers(
        environment.get("OTEL_EXPORTER_OTLP_HEADERS", ""), liberal=True
    )
    certificate = environment.get("OTEL_EXPORTER_OTLP_CERTIFICATE")
    # No bytes at all are a valid export request without anything in it.
    request = Request(  # noqa: S310 - its scheme has been looked at
        target.url,
        data=b"",
        headers={**headers, "Content-Type": "application/x-protobuf"},
    )
    context = ssl.create_default_context(cafile=certificate)
    with urlopen(request, timeout=TIMEOUT, context=context):  # noqa: S310 - the same
        pass


def _refusal(status: int) -> tuple[str, str]:
    if status in {401, 403}:
        return (
            f"it answers {status}: it wants to know who is asking",
            "Set OTEL_EXPORTER_OTLP_HEADERS, such as authorization=Bearer%20…",
        )
    if status == 404:
        return (
            "it answers 404: there is no OTLP receiver at this path",
            f"{_ENDPOINT} is the base, without /v1/traces.",
        )
    return f"it answers {status}", "Look at the collector's log."


def _unreachable(error: Exception) -> tuple[str, str]:
    reason = error.reason if isinstance(error, URLError) else error
    if isinstance(reason, socket.gaierror):
        return "its name is not known", f"Correct the host in {_ENDPOINT}."
    if isinstance(reason, ConnectionRefusedError):
        return "nobody listens there", f"Start the collector, or correct {_ENDPOINT}."
    if isinstance(reason, TimeoutError):
        return f"no answer within {TIMEOUT:g} s", "Is a firewall in between?"
    if isinstance(reason, ssl.SSLError):
        remedy = "Set OTEL_EXPORTER_OTLP_CERTIFICATE, or write http://."
        return "its certificate is not accepted", remedy
    return f"{type(reason).__name__}: {reason}", f"Correct {_ENDPOINT}."


def _finding(target: Target, problem: tuple[str, str] | None) -> Finding:
    if problem is None:
        message = f"The collector at {target.place} takes {target.signal}."
        return Finding("exporter", "ok", message)
    what, remedy = problem
    return Finding(
        "exporter",
        "warning",
        f"{target.signal.capitalize()} do not reach the collector at {target.place}: "
        f"{what} ({_NOT_AFFECTED}).",
        remedy,
    )
