"""A real OpenTelemetry Collector, by the configurations of `collector-config/`."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final, TypeAlias

from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

from tests.support.http import Client
from tests.support.processes import Process, running
from tests.support.programs import built
from tests.support.servers import free_port
from tests.support.sites import REPOSITORY, clean_environment
from tests.support.wait import wait_until

CONFIGURATIONS: Final = REPOSITORY / "collector-config"
Labels: TypeAlias = tuple[tuple[str, str], ...]
PORTS: Final = ("GRPC", "HTTP", "HEALTH", "PROMETHEUS", "METRICS_PORT")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a collector listens, by the last words of its variables; the same after a restart."""

    role: str
    ports: Mapping[str, int]

    @classmethod
    def of(cls, role: str) -> Place:
        return cls(role, {name: free_port() for name in PORTS})

    @property
    def grpc(self) -> str:
        return f"127.0.0.1:{self.ports['GRPC']}"

    @property
    def http(self) -> str:
        return f"http://127.0.0.1:{self.ports['HTTP']}"

    def variables(self) -> dict[str, str]:
        """Return the variables that its configuration reads."""
        return {
            f"{self.role}_{name}": str(port)
            if name == "METRICS_PORT"
            else f"127.0.0.1:{port}"
            for name, port in self.ports.items()
        }


@dataclass(frozen=True, slots=True)
class Otelcol:
    """A collector that is running."""

    place: Place
    process: Process

    def own(self, name: str) -> float:
        """Return the sum of a metric of its own, 0 for what it has not counted yet."""
        found = scraped(self.place.ports["METRICS_PORT"])
        return sum(
            sample.value
            for family in found
            for sample in family.samples
            if sample.name == name
        )

    def told(self, name: str) -> dict[Labels, float]:
        """Return the series of a metric that it tells Prometheus, by their labels."""
        return {
            tuple(sorted(sample.labels.items())): sample.value
            for family in scraped(self.place.ports["PROMETHEUS"])
            for sample in family.samples
            if sample.name == name
        }


def scraped(port: int) -> list[Metric]:
    """Return what Prometheus would be told there."""
    text = Client(port).get("/metrics").text
    return list(text_string_to_metric_families(text))


def validated(
    *files: str, variables: Mapping[str, str] = MappingProxyType({})
) -> subprocess.CompletedProcess[str]:
    """Let the collector judge configurations together."""
    return subprocess.run(
        [built("collector"), "validate", *_options(files)],
        capture_output=True,
        env={**clean_environment(), **variables},
        text=True,
        timeout=60,
        check=False,
    )


@contextmanager
def otelcol(
    place: Place,
    *files: str,
    directory: Path,
    variables: Mapping[str, str] = MappingProxyType({}),
    prefix: Sequence[str] = (),
) -> Iterator[Otelcol]:
    """Run a collector by configurations for the length of the block."""
    with running(
        [*prefix, built("collector"), *_options(files)],
        log=directory / f"{place.role}.log",
        environment={**clean_environment(), **place.variables(), **variables},
        directory=directory,
    ) as process:
        health = Client(place.ports["HEALTH"])

        def is_ready() -> bool:
            assert process.is_running, process.output()
            try:
                return health.get("/").status == 200
            except OSError:
                return False

        wait_until(is_ready, seconds=30, what=process.output)
        yield Otelcol(place, process)


def _options(files: Sequence[str]) -> list[str]:
    # A file, or a piece of YAML as the collector takes it.
    return [
        f"--config={file if file.startswith('yaml:') else CONFIGURATIONS / file}"
        for file in files
    ]
