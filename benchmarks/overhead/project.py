"""The measured project on disk: one database for all, one directory per variant and run."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

    from benchmarks.overhead.plan import Variant

# Kept open as on most servers, which also spares the figures the noise of opening a file.
# Under ASGI Django gives each request its own thread, so that nothing could be kept.
CONN_MAX_AGE: Final = {"wsgi": "600", "asgi": "0"}


@dataclass(frozen=True, slots=True)
class Project:
    """Where the database, the variants' files and the workers' log are."""

    directory: Path

    @property
    def database(self) -> Path:
        """The SQLite file every variant reads."""
        return self.directory / "site.sqlite3"

    @property
    def log(self) -> Path:
        """What the workers wrote to standard error."""
        return self.directory / "workers.log"

    def create(self) -> None:
        """Create the database, in a process of its own so that this one stays without Django."""
        command = [sys.executable, "-m", "benchmarks.site.database", str(self.database)]
        subprocess.run(command, check=True, env={**os.environ, "SITE_APPS": ""})

    def environment(self, variant: Variant, sink: str) -> dict[str, str]:
        """Return the variables a worker of ``variant`` starts with."""
        directory = self.directory / variant.name
        directory.mkdir(exist_ok=True)
        return {
            "SITE_DATABASE": str(self.database),
            "SITE_CONN_MAX_AGE": CONN_MAX_AGE[variant.interface],
            "BENCH_DIRECTORY": str(directory),
            "BENCH_SINK": sink if variant.exporting else "",
            "OTEL_SERVICE_NAME": variant.name,
            # A batch leaves when it is full or the block ends: the same for everyone.
            "OTEL_BSP_SCHEDULE_DELAY": "60000",
        }
