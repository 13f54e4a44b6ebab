"""What a doctor sees, as far as a test says; the rest is a project that is well."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

from prs_otel.diagnosis.processes import Server
from prs_otel.diagnosis.surroundings import Surroundings
from prs_otel.store.base import Beat

NOW = 1_700_000_000.0


def beat(**changes: Any) -> Beat:
    """Return the sign of life of a worker a second ago."""
    plain = Beat("w1", "web-1", 4_000, NOW - 600, NOW - 1, {}, {})
    return replace(plain, **changes)


def server(**changes: Any) -> Server:
    """Return gunicorn with one worker, which has run for ten minutes."""
    plain = Server(
        program="gunicorn",
        pid=3_999,
        user_id=os.geteuid(),
        user="alice",
        started_at=NOW - 600,
        arguments=("gunicorn", "library.wsgi"),
        children=frozenset({4_000}),
        environment={},
    )
    return replace(plain, **changes)


def surroundings(directory: Path | None = None, **changes: Any) -> Surroundings:
    """Return a server that reports; its store is in `directory`."""
    path = (directory or Path("/nowhere")) / "store.sqlite3"
    plain = Surroundings(
        now=NOW,
        host="web-1",
        user_id=os.geteuid(),
        is_enabled=True,
        store_url=f"sqlite:///{path}",
        beats=(beat(),),
        latest=NOW - 1,
        store_error="",
        servers=(server(),),
        environment={},
        patience=15.0,
    )
    return replace(plain, **changes)


def alone(directory: Path | None = None, **changes: Any) -> Surroundings:
    """Return a project that nobody serves."""
    return surroundings(
        directory, **{"beats": (), "latest": None, "servers": (), **changes}
    )
