"""What leaves over OTLP, read by a receiver that others have written."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import repeat
from pathlib import Path

import pytest

from tests.support.alerted import alerted
from tests.support.monitored import summary
from tests.support.processes import Process, running
from tests.support.programs import npm_receiver, program
from tests.support.servers import gunicorn, serving
from tests.support.sites import Site
from tests.support.wait import wait_until

pytestmark = pytest.mark.once

PROTOCOLS = {"http/protobuf": "http", "grpc": "grpc"}
GZIP = {"OTEL_EXPORTER_OTLP_COMPRESSION": "gzip"}
FAILING = {
    "name": "failing",
    "metric": "http.server.request.error_rate",
    "window": "10s",
    "threshold": 0.5,
    "severity": "critical",
}
METRICS = {
    "http.server.request.duration",
    "db.client.operation.duration",
    "prs.http.server.request.errors",
    "prs.alert.active",
}


@dataclass(frozen=True, slots=True)
class Receiver:
    """The receiver, by what it has written."""

    process: Process

    def url(self, protocol: str) -> str:
        lines = wait_until(self._lines, what=self.process.output)
        return str(lines[0][PROTOCOLS[protocol]])

    def understood(self, what: str) -> Counter[str]:
        """Return the names of the spans or metrics, or the bodies of the logs, that came, and how often."""
        return Counter(name for line in self._lines() for name in line.get(what, ()))

    def _lines(self) -> list[dict[str, list[str]]]:
        assert self.process.is_running, self.process.output()
        whole = self.process.output().rpartition("\n")[0]
        return [json.loads(line) for line in whole.splitlines()]


@pytest.fixture
def receiver(tmp_path: Path) -> Iterator[Receiver]:
    with running(
        [program("node"), npm_receiver()],
        log=tmp_path / "receiver.log",
        environment=os.environ,
        directory=tmp_path,
    ) as process:
        yield Receiver(process)


# Compressed, this receiver reads only gRPC; over HTTP a real collector does.
@pytest.mark.parametrize(
    ("protocol", "compression"),
    [("http/protobuf", {}), ("grpc", {}), ("grpc", GZIP)],
    ids=["http", "grpc", "grpc compressed"],
)
def test_it_understands_every_payload(
    site: Site, receiver: Receiver, protocol: str, compression: dict[str, str]
) -> None:
    site = alerted(site, ["log"], rules=[FAILING]).with_environment(
        OTEL_EXPORTER_OTLP_ENDPOINT=receiver.url(protocol),
        OTEL_EXPORTER_OTLP_PROTOCOL=protocol,
        OTEL_EXPORTER_OTLP_INSECURE="true",
        OTEL_METRICS_EXPORTER="otlp",
        OTEL_LOGS_EXPORTER="otlp",
        OTEL_METRIC_EXPORT_INTERVAL="500",
        OTEL_BSP_SCHEDULE_DELAY="100",
        OTEL_BLRP_SCHEDULE_DELAY="100",
        **compression,
    )
    with serving(site, gunicorn(workers=2)) as server:
        server.client.get_all([*repeat("/queries/one/", 20), *repeat("/fails/", 30)])
        wait_until(
            lambda: (
                any("error_rate" in body for body in receiver.understood("logs"))
                and {*receiver.understood("metrics")} >= METRICS
            ),
            seconds=30,
            what=receiver.process.output,
        )
        server.process.stop()

    spans = receiver.understood("spans")
    assert (spans["GET /queries/one/"], spans["GET /fails/"]) == (20, 30)
    assert sum(spans.values()) == 20 + 20 + 30
    assert summary(site)["monitor"]["lost_spans"] == 0
