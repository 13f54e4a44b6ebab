"""The demo's faults, judged by Prometheus by the exported rules: as we judge them, and told to us."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from demo_runner.program import EXPECTED, PASSWORD, VISITORS
from demo_runner.traffic import Traffic
from tests.support.alertmanager import AT_ONCE, Alertmanager, configured
from tests.support.demo_site import SEED_WHOLLY, Demo, serving_demo
from tests.support.otelcol import CONFIGURATIONS, Place, otelcol
from tests.support.programs import built, program
from tests.support.prometheus import OTLP, Prometheus, prometheus
from tests.support.servers import free_port
from tests.support.wait import wait_until

pytestmark = [pytest.mark.once, pytest.mark.timeout(400)]

SECONDS: Final = 90.0
EVALUATION: Final = 2.0
# From a worker to Prometheus: its export, two batches and a scrape, of a second each, and
# as much again where other tests want the processors.
WAY: Final = 8.0
RANGE: Final = "$__rate_interval"
# The API is read and scraped on.
REQUESTS: Final = (
    'sum(http_server_request_duration_seconds_count{http_route!~"/api/.*"})'
)

WAYS: Final = ("scrape", "endpoint", "otlp")
BOTH: Final = "[prometheus, otlp_http/prometheus]"
GATEWAY: Final = (
    "gateway.yaml",
    "prometheus-otlp.yaml",
    # Both ways at once, which only a comparison needs.
    f"yaml:service::pipelines::metrics/applications::exporters: {BOTH}",
)
EXPORTED: Final = {
    "OTEL_TRACES_EXPORTER": "none",
    "OTEL_METRICS_EXPORTER": "otlp",
    "OTEL_METRIC_EXPORT_INTERVAL": "1000",
}

Stretches = list[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Found:
    """Who found what firing from when until when, by the name of the alert.

    `theirs` and `requests`, how many it knows, are told apart by how Prometheus has got
    the metrics; `external` is what came back of it to the demo, and `counted` how many
    requests that has counted itself.
    """

    ours: Mapping[str, Stretches]
    theirs: Mapping[str, Mapping[str, Stretches]]
    external: Mapping[str, Stretches]
    requests: Mapping[str, float]
    empty_charts: list[str]
    counted: int


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Found]:
    """Send visitors to a demo that three Prometheus watch.

    One scrapes the gateway, one the demo itself, one is told over OTLP.
    """
    directory = tmp_path_factory.mktemp("prometheus")
    agent, gateway, otlp_port = Place.of("AGENT"), Place.of("GATEWAY"), free_port()
    variables = {
        "AGENT_QUEUE": str(directory / "queue"),
        "GATEWAY_ENDPOINT": gateway.grpc,
        "PROMETHEUS_OTLP": f"http://127.0.0.1:{otlp_port}/api/v1/otlp",
    }
    with ExitStack() as stack:
        run = stack.enter_context
        run(otelcol(gateway, *GATEWAY, directory=directory, variables=variables))
        run(otelcol(agent, "agent.yaml", directory=directory, variables=variables))
        demo = run(
            serving_demo(
                tmp_path_factory.mktemp("demo"),
                seed=SEED_WHOLLY,
                variables={**EXPORTED, "OTEL_EXPORTER_OTLP_ENDPOINT": agent.http},
            )
        )
        manager = run(alertmanager_of(demo, directory))
        watching = {
            "scrape": run(
                judging(
                    demo,
                    directory / "scrape",
                    program("prometheus"),
                    port=free_port(),
                    targets={"applications": [gateway.ports["PROMETHEUS"]]},
                )
            ),
            "endpoint": run(
                judging(
                    demo,
                    directory / "endpoint",
                    program("prometheus"),
                    port=free_port(),
                    targets={"applications": [demo.client.port]},
                    applications={
                        "metrics_path": "/api/monitoring/metrics/",
                        "authorization": {"credentials": demo.token},
                    },
                )
            ),
            "otlp": run(
                judging(
                    demo,
                    directory / "otlp",
                    built("prometheus"),
                    OTLP,
                    port=otlp_port,
                    targets={"collectors": [gateway.ports["METRICS_PORT"]]},
                    alertmanagers=[manager.client.port],
                )
            ),
        }
        # What the first visit has made fire began before this, and no Prometheus saw it.
        begin = time.time()
        traffic = Traffic(demo.client.port, demo.ledger, duration=SECONDS)
        traffic.start(VISITORS, PASSWORD)
        time.sleep(SECONDS)
        traffic.stop()
        wait_until(lambda: not firing(demo), seconds=60, every=0.5)
        # Until what ends there last has been told here.
        time.sleep(WAY + 3 * EVALUATION)
        end = time.time()
        items = [each for each in history(demo) if each["fired_at"] >= iso(begin)]
        yield Found(
            ours={name: stretches(items, name) for name in EXPECTED},
            theirs={
                way: {name: each.firing(name, begin, end) for name in EXPECTED}
                for way, each in watching.items()
            },
            external={
                name: stretches(items, f"alertmanager/{name}") for name in EXPECTED
            },
            requests={way: each.value(REQUESTS) for way, each in watching.items()},
            empty_charts=empty_charts(watching["otlp"]),
            counted=sum(
                each.count
                for each in demo.summary().endpoints
                if not each.endpoint.startswith("/api/")
            ),
        )


def history(demo: Demo) -> list[dict[str, Any]]:
    path = "/api/alerting/history/?limit=100"
    items: list[dict[str, Any]] = demo.client.get(path, **demo.headers).json()["items"]
    return items


def firing(demo: Demo) -> list[str]:
    path = "/api/alerting/alerts/?limit=100"
    items = demo.client.get(path, **demo.headers).json()["items"]
    return [each["name"] for each in items if each["name"] in EXPECTED]


def alertmanager_of(
    demo: Demo, directory: Path
) -> AbstractContextManager[Alertmanager]:
    """Run Alertmanager by our configuration, as one would, but at once."""
    text = (CONFIGURATIONS / "alertmanager.yml").read_text()
    text += demo.manage("manage_monitoring", "export-rules", "--target=alertmanager")
    config = yaml.safe_load(text)
    config["route"].update(AT_ONCE)
    [hook] = config["receivers"][0]["webhook_configs"]
    hook["url"] = f"{demo.client.url}/api/alerting/webhook/"
    # The demo has no secret.
    del hook["http_config"]
    return configured(directory, config)


def judging(
    demo: Demo, directory: Path, command: str, *options: str, **places: Any
) -> AbstractContextManager[Prometheus]:
    """Run a Prometheus with the demo's rules, evaluated as often as the demo does."""
    directory.mkdir()
    demo.manage(
        "manage_monitoring",
        "export-rules",
        f"--output-file={directory / 'rules.yml'}",
    )
    return prometheus(
        command,
        *options,
        directory=directory,
        evaluated_every=f"{EVALUATION:.0f}s",
        **places,
    )


def empty_charts(prometheus: Prometheus) -> list[str]:
    """Return the charts of the Grafana dashboard for which nothing is found there."""
    document = json.loads((CONFIGURATIONS / "grafana/prs-otel.json").read_text())
    return [
        panel["title"]
        for panel in document["panels"]
        for target in panel["targets"]
        if not prometheus.series(
            target["expr"].replace("$job", "demo_site").replace(RANGE, "2m")
        )
    ]


def iso(at: float) -> str:
    return datetime.fromtimestamp(at, tz=UTC).isoformat()


def stretches(items: list[dict[str, Any]], name: str) -> Stretches:
    return sorted(
        (at(each["fired_at"]), at(each["resolved_at"]))
        for each in items
        if each["name"] == name
    )


def at(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def apart(ours: Stretches, theirs: Stretches) -> tuple[float, float]:
    """Return by how many seconds the first of theirs begins, and the last ends, later."""
    begin, end = theirs[0][0] - ours[0][0], theirs[-1][1] - ours[-1][1]
    return round(begin, 1), round(end, 1)


@pytest.mark.parametrize("name", EXPECTED)
@pytest.mark.parametrize("way", WAYS)
def test_prometheus_fires_and_resolves_as_we_do(
    found: Found, way: str, name: str, record_property: Callable[[str, object], None]
) -> None:
    delays = apart(found.ours[name], found.theirs[way][name])

    record_property("delays", delays)
    assert max(map(abs, delays)) <= WAY + EVALUATION, delays


@pytest.mark.parametrize("name", EXPECTED)
def test_what_prometheus_finds_comes_back_by_alertmanager_to_its_end(
    found: Found, name: str, record_property: Callable[[str, object], None]
) -> None:
    delays = apart(found.theirs["otlp"][name], found.external[name])

    record_property("delays", delays)
    assert max(map(abs, delays)) <= WAY + EVALUATION, delays


def test_the_dashboard_of_grafana_finds_what_the_demo_has(found: Found) -> None:
    # Neither runs a task of its own, nor does a query of it fail.
    without = {"Tasks", "p95 of tasks", "Failed tasks", "Slow tasks", "Failed queries"}

    assert {*found.empty_charts} <= without


@pytest.mark.parametrize("way", WAYS)
def test_prometheus_has_counted_every_request(found: Found, way: str) -> None:
    assert found.requests[way] == found.counted
