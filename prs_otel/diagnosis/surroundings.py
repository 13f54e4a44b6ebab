"""What all examinations look at, gathered once."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from prs_otel import conf, pipeline
from prs_otel.diagnosis import processes
from prs_otel.rollup.view import SERVES
from prs_otel.store.base import StoreError

if TYPE_CHECKING:
    from prs_otel.diagnosis.processes import Server
    from prs_otel.store.base import Beat

SQLITE: Final = "sqlite:///"
SILENT_AFTER: Final = 3
"""Flush intervals a worker may miss before its silence means something."""
_SHORTEST_SILENCE: Final = 15.0


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Hold what was seen at `now` (epoch seconds).

    `beats` are the latest signs of life of all processes, also of those long gone;
    `latest` is the end of the newest figures; `store_error` says why neither is known.
    """

    now: float
    host: str
    user_id: int
    is_enabled: bool
    store_url: str
    beats: tuple[Beat, ...]
    latest: float | None
    store_error: str
    servers: tuple[Server, ...]
    environment: Mapping[str, str]
    patience: float

    @property
    def store_path(self) -> Path | None:
        """Return the store's file; None where it has none."""
        if not self.store_url.startswith(SQLITE):
            return None
        return Path(self.store_url.removeprefix(SQLITE))

    @property
    def workers(self) -> tuple[Beat, ...]:
        """Return the signs of life of the processes that answer requests now."""
        return tuple(
            beat
            for beat in self.beats
            if beat.figures.get(SERVES, 1)
            and abs(self.now - beat.seen_at) < self.patience
        )

    @property
    def reporting(self) -> frozenset[int]:
        """Return the ids of this host's processes that hand over what they count."""
        return frozenset(beat.pid for beat in self.workers if beat.host == self.host)

    @property
    def server_environment(self) -> Mapping[str, str]:
        """Return the environment of the server; ours where that may not be read."""
        # One that reports is certainly this project's.
        found = sorted(self.servers, key=lambda each: not each.pids & self.reporting)
        environments = (each.environment for each in found if each.environment)
        return next(environments, self.environment)


def look_around(*, now: float) -> Surroundings:
    """Gather it. A store that does not exist is not made by looking for it."""
    settings = conf.current()
    is_enabled = pipeline.is_enabled()
    url = settings.store or conf.default_store_url() if is_enabled else ""
    beats, latest, error = _stored(url) if is_enabled else ((), None, "")
    return Surroundings(
        now=now,
        host=socket.gethostname(),
        user_id=os.geteuid(),
        is_enabled=is_enabled,
        store_url=url,
        beats=beats,
        latest=latest,
        store_error=error,
        servers=processes.servers(conf.project_directory()),
        environment=dict(os.environ),
        patience=max(_SHORTEST_SILENCE, SILENT_AFTER * settings.flush_interval),
    )


def _stored(url: str) -> tuple[tuple[Beat, ...], float | None, str]:
    try:
        if url.startswith(SQLITE) and not Path(url.removeprefix(SQLITE)).exists():
            return (), None, ""
        with pipeline.store().reading() as reader:
            latest = max((row.end for row in reader.rows()), default=None)
            return tuple(reader.beats()), latest, ""
    except (StoreError, OSError) as error:
        return (), None, str(error)
