"""A real Prometheus, by the configuration in `collector-config/` with other addresses."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final
from urllib.parse import urlencode

import yaml

from tests.support.http import Client
from tests.support.otelcol import CONFIGURATIONS
from tests.support.processes import running
from tests.support.sites import clean_environment
from tests.support.wait import wait_until

STEP: Final = 1
OTLP: Final = "--web.enable-otlp-receiver"


@dataclass(frozen=True, slots=True)
class Prometheus:
    """What it has found, by its own API."""

    client: Client

    @property
    def otlp(self) -> str:
        return f"{self.client.url}/api/v1/otlp"

    def value(self, query: str) -> float:
        """Return the value of an expression now, 0 for none."""
        found = self._get("query", query=query)
        return sum(float(each["value"][1]) for each in found["result"])

    def series(self, query: str) -> int:
        """Return how many series an expression has now."""
        return len(self._get("query", query=query)["result"])

    def firing(self, name: str, begin: float, end: float) -> list[tuple[float, float]]:
        """Return from when until when an alert has fired, of whatever severity."""
        query = f'max(ALERTS{{alertname="{name}",alertstate="firing"}})'
        found = self._get("query_range", query=query, start=begin, end=end, step=STEP)[
            "result"
        ]
        times = [float(at) for each in found for at, _ in each["values"]]
        return list(_stretches(times))

    def _get(self, path: str, **asked: object) -> Any:
        answer = self.client.get(f"/api/v1/{path}?{urlencode(asked)}").json()
        assert answer["status"] == "success", answer
        return answer["data"]


@contextmanager
def prometheus(
    command: str,
    *options: str,
    port: int,
    directory: Path,
    targets: Mapping[str, Sequence[int]],
    alertmanagers: Sequence[int] = (),
    evaluated_every: str = "1s",
    applications: Mapping[str, object] = MappingProxyType({}),
) -> Iterator[Prometheus]:
    """Run one that scrapes these ports every second, with `rules.yml` of the directory.

    `applications` says otherwise how these are scraped.
    """
    document = yaml.safe_load((CONFIGURATIONS / "prometheus.yml").read_text())
    document["global"] = {
        "scrape_interval": "1s",
        "evaluation_interval": evaluated_every,
    }
    for job in document["scrape_configs"]:
        ports = targets.get(job["job_name"], ())
        job["static_configs"] = [{"targets": _addresses(ports)}]
        if job["job_name"] == "applications":
            job.update(applications)
    [manager] = document["alerting"]["alertmanagers"]
    manager["static_configs"] = [{"targets": _addresses(alertmanagers)}]
    path = directory / "prometheus.yml"
    path.write_text(json.dumps(document))
    with running(
        [
            command,
            f"--config.file={path}",
            f"--storage.tsdb.path={directory / 'prometheus'}",
            f"--web.listen-address=127.0.0.1:{port}",
            *options,
        ],
        log=directory / "prometheus.log",
        environment=clean_environment(),
        directory=directory,
    ) as process:
        found = Prometheus(Client(port))

        def is_ready() -> bool:
            assert process.is_running, process.output()
            try:
                return found.client.get("/-/ready").status == 200
            except OSError:
                return False

        wait_until(is_ready, seconds=30, what=process.output)
        yield found


def _addresses(ports: Sequence[int]) -> list[str]:
    return [f"127.0.0.1:{port}" for port in ports]


def _stretches(times: Sequence[float]) -> Iterator[tuple[float, float]]:
    begin = last = None
    for at in times:
        if last is not None and begin is not None and at - last > STEP:
            yield begin, last
            begin = None
        begin, last = at if begin is None else begin, at
    if begin is not None and last is not None:
        yield begin, last
