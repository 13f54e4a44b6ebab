"""A real Alertmanager on port 0."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tests.support.http import Client
from tests.support.processes import Process, running
from tests.support.programs import alertmanager as program
from tests.support.wait import wait_until

AT_ONCE: Final = {"group_wait": "100ms", "group_interval": "500ms"}
_PORT: Final = re.compile(r'msg="?Listening on"? address=127\.0\.0\.1:(\d+)')


@dataclass(frozen=True, slots=True)
class Alertmanager:
    """What it knows, by its own API."""

    client: Client

    def alerts(self, name: str = "deals_errors") -> dict[str, dict[str, Any]]:
        """Return what fires of that name, by severity."""
        path = f"/api/v2/alerts?filter=alertname%3D{name}"
        found = self.client.get(path).json()
        return {alert["labels"]["severity"]: alert for alert in found}


@contextmanager
def alertmanager(directory: Path, *, webhook: str) -> Iterator[Alertmanager]:
    """Run one that posts to `webhook` at once, for as long as the block lasts."""
    told = {"url": webhook, "send_resolved": True}
    config = {
        "global": {"resolve_timeout": "5m"},
        "route": {"receiver": "us", "group_by": ["alertname"], **AT_ONCE},
        "receivers": [{"name": "us", "webhook_configs": [told]}],
    }
    with configured(directory, config) as found:
        yield found


@contextmanager
def configured(directory: Path, config: dict[str, Any]) -> Iterator[Alertmanager]:
    """Run one by a configuration for as long as the block lasts."""
    path = directory / "alertmanager.yml"
    # JSON is YAML.
    path.write_text(json.dumps(config))
    command = [
        program(),
        f"--config.file={path}",
        f"--storage.path={directory / 'data'}",
        "--web.listen-address=127.0.0.1:0",
        "--cluster.listen-address=",
    ]
    with running(
        command,
        log=directory / "alertmanager.log",
        environment=os.environ,
        directory=directory,
    ) as process:
        yield Alertmanager(Client(_port(process)))


def _port(process: Process) -> int:
    def named() -> int:
        assert process.is_running, process.output()
        found = _PORT.search(process.output())
        return int(found[1]) if found else 0

    return wait_until(named, seconds=30, what=process.output)
