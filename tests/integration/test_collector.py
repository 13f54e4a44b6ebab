"""Traffic of the demo through a real agent and a real gateway: nothing is lost, nothing counted twice."""

from __future__ import annotations

import subprocess
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from demo_runner.program import PASSWORD, VISITORS
from demo_runner.traffic import Traffic
from prs_otel.monitoring.schemas import Summary
from tests.support.collector import Collector, ReceivedSpan, collecting
from tests.support.demo_site import serving_demo
from tests.support.monitored import quick, summary
from tests.support.otelcol import (
    CONFIGURATIONS,
    Labels,
    Otelcol,
    Place,
    otelcol,
    validated,
)
from tests.support.programs import program
from tests.support.servers import gunicorn, serving
from tests.support.sites import Site
from tests.support.wait import wait_until

pytestmark = [pytest.mark.once, pytest.mark.timeout(240)]

SECONDS: Final = 20.0
SETS: Final = {
    "agent": ("agent.yaml",),
    "gateway": ("gateway.yaml",),
    "gateway and backend": ("gateway.yaml", "backend.yaml"),
    "gateway and Prometheus": ("gateway.yaml", "prometheus-otlp.yaml"),
}
BACKENDS: Final = {
    "New Relic": ("https://otlp.nr-data.net", '{api-key: "k"}'),
    "Datadog": ("https://otlp.datadoghq.com", '{dd-api-key: "k"}'),
    "Grafana Cloud": (
        "https://otlp-gateway-prod-eu-west-0.grafana.net/otlp",
        '{Authorization: "Basic k"}',
    ),
    "Honeycomb": ("https://api.honeycomb.io", '{x-honeycomb-team: "k"}'),
}
EXPORTED: Final = {
    "OTEL_METRICS_EXPORTER": "otlp",
    "OTEL_LOGS_EXPORTER": "otlp",
    "OTEL_EXPORTER_OTLP_COMPRESSION": "gzip",
    "OTEL_METRIC_EXPORT_INTERVAL": "1000",
    "OTEL_BSP_SCHEDULE_DELAY": "200",
    "OTEL_BLRP_SCHEDULE_DELAY": "200",
}
DURATION: Final = "http.server.request.duration"
REQUESTS: Final = "http_server_request_duration_seconds_count"
ERRORS: Final = "prs_http_server_request_errors_total"
QUERIES: Final = "db_client_operation_duration_seconds_count"
CALLS: Final = "traces_span_metrics_calls_total"
ACCEPTED: Final = "otelcol_receiver_accepted_spans_total"
LOSSES: Final = (
    "otelcol_receiver_refused_spans_total",
    "otelcol_receiver_failed_spans_total",
    "otelcol_exporter_send_failed_spans_total",
    "otelcol_exporter_enqueue_failed_spans_total",
    "otelcol_exporter_send_failed_metric_points_total",
    "otelcol_exporter_enqueue_failed_metric_points_total",
)
WORKERS: Final = 4


@dataclass(frozen=True, slots=True)
class Told:
    """What the demo's workers have counted, and what every piece behind them was told."""

    view: Summary
    agent: Otelcol
    gateway: Otelcol
    backend: Collector


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    """Send visitors to the demo, and yield when its workers have said their last."""
    directory = tmp_path_factory.mktemp("collectors")
    with collecting() as backend, collectors(directory, backend) as (agent, gateway):
        variables = {**EXPORTED, "OTEL_EXPORTER_OTLP_ENDPOINT": agent.place.http}
        home = tmp_path_factory.mktemp("demo")
        with serving_demo(home, variables=variables) as demo:
            traffic = Traffic(demo.client.port, demo.ledger, duration=SECONDS)
            traffic.start(VISITORS, PASSWORD)
            time.sleep(SECONDS)
            traffic.stop()
            demo.process.stop()
            view = demo.summary()
        wait_until(
            lambda: has_arrived(view, gateway, backend),
            seconds=40,
            every=0.5,
            what=gateway.process.output,
        )
        yield Told(view, agent, gateway, backend)


@contextmanager
def collectors(
    directory: Path, backend: Collector
) -> Iterator[tuple[Otelcol, Otelcol]]:
    """Run an agent, and a gateway that keeps no trace but the slow and the failed."""
    place = Place.of("GATEWAY")
    variables = {
        "AGENT_QUEUE": str(directory / "queue"),
        "BACKEND_ENDPOINT": f"http://127.0.0.1:{backend.port}",
        "GATEWAY_ENDPOINT": place.grpc,
        "KEPT_PERCENT": "0",
    }
    with (
        otelcol(
            place,
            *SETS["gateway and backend"],
            directory=directory,
            variables=variables,
        ) as gateway,
        otelcol(
            Place.of("AGENT"), *SETS["agent"], directory=directory, variables=variables
        ) as agent,
    ):
        yield agent, gateway


def has_arrived(view: Summary, gateway: Otelcol, backend: Collector) -> bool:
    """Tell whether the last of every signal has come to the end of its way."""
    requests = view.requests.count
    return (
        gateway.own(ACCEPTED) >= spans_of(view)
        and sum(requests_of(gateway).values()) >= requests
        and sum(gateway.told(REQUESTS).values()) >= requests
        and sum(gateway.told(QUERIES).values()) >= view.queries.count
        and sum(point.value for point in backend.latest(DURATION)) >= requests
        and failures(backend) >= view.requests.error_count
    )


def spans_of(view: Summary) -> int:
    return view.requests.count + view.queries.count


def requests_of(gateway: Otelcol) -> dict[Labels, float]:
    """Return the requests among the spans that the gateway has counted."""
    return {
        labels: value
        for labels, value in gateway.told(CALLS).items()
        if dict(labels)["span_kind"] == "SPAN_KIND_SERVER"
    }


def failures(backend: Collector) -> int:
    found = [span for span in backend.spans if span.kind == "SERVER"]
    return sum(is_failed(span) for span in found)


def is_failed(span: ReceivedSpan) -> bool:
    return int(span.attributes.get("http.response.status_code", 0)) >= 500


def is_slow(span: ReceivedSpan) -> bool:
    return span.end - span.start > 1e9


def by_endpoint(series: Mapping[Labels, float]) -> dict[tuple[str, str], float]:
    """Return the sum over all workers for each route and method."""
    sums: Counter[tuple[str, str]] = Counter()
    for labels, value in series.items():
        found = dict(labels)
        sums[found.get("http_route", ""), found["http_request_method"]] += int(value)
    return {endpoint: count for endpoint, count in sums.items() if count}


@pytest.mark.parametrize("name", SETS)
def test_the_collector_takes_every_configuration(name: str) -> None:
    done = validated(*SETS[name], variables={"BACKEND_ENDPOINT": "http://127.0.0.1:1"})

    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", BACKENDS)
def test_two_variables_name_a_backend(name: str) -> None:
    endpoint, headers = BACKENDS[name]
    variables = {"BACKEND_ENDPOINT": endpoint, "BACKEND_HEADERS": headers}

    done = validated(*SETS["gateway and backend"], variables=variables)

    assert done.returncode == 0, done.stderr
    text = (CONFIGURATIONS / "README.md").read_text()
    assert endpoint in text
    assert headers.split(":")[0].strip("{") in text


def test_every_span_is_counted_once_at_each_step(told: Told) -> None:
    sent = spans_of(told.view)

    assert told.agent.own(ACCEPTED) == sent
    assert told.agent.own("otelcol_exporter_sent_spans_total") == sent
    assert told.gateway.own(ACCEPTED) == sent
    for each in (told.agent, told.gateway):
        assert {name: each.own(name) for name in LOSSES} == dict.fromkeys(LOSSES, 0)


def test_derived_metrics_are_those_of_the_view(told: Told) -> None:
    endpoints = told.view.endpoints
    counts = {(each.endpoint, each.method): each.count for each in endpoints}
    errors = {
        (each.endpoint, each.method): each.error_count
        for each in endpoints
        if each.error_count
    }

    assert by_endpoint(told.gateway.told(REQUESTS)) == counts
    assert by_endpoint(told.gateway.told(ERRORS)) == errors
    assert errors
    assert sum(told.gateway.told(QUERIES).values()) == told.view.queries.count


def test_metrics_of_spans_count_all_requests_though_hardly_a_trace_is_kept(
    told: Told,
) -> None:
    requests = requests_of(told.gateway)
    known = {
        (each.endpoint, each.method): each.count
        for each in told.view.endpoints
        # A path that no route matches has no route.
        if each.endpoint != "__unresolved__"
    }

    assert sum(requests.values()) == told.view.requests.count
    assert by_endpoint(requests).items() >= known.items()
    assert not any("instance" in dict(labels) for labels in requests)


def test_of_the_traces_those_that_failed_are_kept_whole(told: Told) -> None:
    traces: defaultdict[str, list[ReceivedSpan]] = defaultdict(list)
    for span in told.backend.spans:
        traces[span.trace_id].append(span)

    assert failures(told.backend) == told.view.requests.error_count
    for spans in traces.values():
        [request] = [span for span in spans if span.kind == "SERVER"]
        assert is_failed(request) or is_slow(request)
        assert len(spans) == 1 + request.attributes["prs.request.query_count"]


def test_alerts_reach_the_backend_as_events(told: Told) -> None:
    names = {event.attributes["prs.alert.name"] for event in told.backend.events}

    assert "receipt_errors" in names
    assert {event.name for event in told.backend.events} == {"prs.alert.state_changed"}


def test_metrics_reach_the_backend_with_the_instance_they_are_of(told: Told) -> None:
    latest = told.backend.latest(DURATION)

    assert sum(point.value for point in latest) == told.view.requests.count
    assert len({point.series[0] for point in latest}) == WORKERS


@pytest.mark.parametrize(
    ("protocol", "way"), [("http/protobuf", "HTTP"), ("grpc", "GRPC")]
)
def test_a_collector_is_believed_by_its_certificate_alone(
    site: Site, tmp_path: Path, protocol: str, way: str
) -> None:
    key, certificate = certified(tmp_path)
    place = Place.of("AGENT")
    tls = f"yaml:receivers::otlp::protocols::{way.lower()}::tls"
    files = (
        "agent.yaml",
        f"{tls}::key_file: {key}",
        f"{tls}::cert_file: {certificate}",
    )
    variables = {"AGENT_QUEUE": str(tmp_path / "queue")}
    site = quick(site).with_environment(
        OTEL_EXPORTER_OTLP_ENDPOINT=f"https://127.0.0.1:{place.ports[way]}",
        OTEL_EXPORTER_OTLP_PROTOCOL=protocol,
        OTEL_BSP_SCHEDULE_DELAY="100",
    )
    trusting = site.with_environment(OTEL_EXPORTER_OTLP_CERTIFICATE=str(certificate))
    with otelcol(place, *files, directory=tmp_path, variables=variables) as agent:
        with serving(site, gunicorn(workers=1)) as server:
            server.client.get("/plain/")
            wait_until(lambda: summary(site)["monitor"]["lost_spans"], seconds=30)
        with serving(trusting, gunicorn(workers=1)) as server:
            server.client.get("/plain/")
            wait_until(lambda: agent.own(ACCEPTED) > 0, seconds=30)

        assert agent.own(ACCEPTED) == 1


def certified(directory: Path) -> tuple[Path, Path]:
    """Return a key and a certificate of this host."""
    key, certificate = directory / "key.pem", directory / "certificate.pem"
    subprocess.run(
        [
            *(program("openssl"), "req", "-x509", "-newkey", "rsa:2048", "-nodes"),
            *("-keyout", key, "-out", certificate, "-days", "2"),
            *("-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"),
        ],
        check=True,
        capture_output=True,
    )
    return key, certificate
