"""``MONITORING_SETTINGS["ENABLED"] = False`` leaves nothing, also under the launcher."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from benchmarks.measurement import Measurement, Subject
from benchmarks.overhead.project import Project

if TYPE_CHECKING:
    from benchmarks.options import Options

GROUP: Final = "switched off: what is left in the process"
LAUNCHER: Final = str(Path(sys.executable).with_name("opentelemetry-instrument"))


def measure(options: Options) -> list[Measurement]:
    """Count what is left, with INSTALLED_APPS alone and under the launcher."""
    project = Project(options.directory)
    project.create()
    return [
        Subject(GROUP, f"{name}, {launched}", "", 0.0).exactly(count)
        for launched, command in (("INSTALLED_APPS", []), ("launcher", [LAUNCHER]))
        for name, count in _probe(project, command).items()
    ]


def _probe(project: Project, command: list[str]) -> dict[str, int]:
    state = project.directory / "state"
    state.mkdir(exist_ok=True)
    monitoring = {"ENABLED": False, "STORE": f"sqlite:///{state}/store.sqlite3"}
    environment = {
        **os.environ,
        "HOME": str(state),
        "XDG_STATE_HOME": str(state),
        "SITE_APPS": "prs_otel alerting",
        "SITE_DATABASE": str(project.database),
        "SITE_MONITORING": json.dumps(monitoring),
    }
    probe = [sys.executable, "-m", "benchmarks.micro.off_probe", str(state)]
    done = subprocess.run(
        [*command, *probe],
        env=environment,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    counts: dict[str, int] = json.loads(done.stdout.splitlines()[-1])
    return counts
