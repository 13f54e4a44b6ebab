"""The store file of a day with 2,000 series: it has to fit its default quota."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from benchmarks.measurement import Measurement, Subject
from benchmarks.micro import day
from prs_otel.store import open_store

if TYPE_CHECKING:
    from pathlib import Path

    from benchmarks.options import Options

GROUP: Final = "store file, 24 h, 2,000 series, 8 workers, 4,000 observations/s"
LOAD: Final = day.Load(series=2_000)
MEGABYTE: Final = 1_000_000
QUOTA: Final = 128.0
ROOM: Final = 1_000 * MEGABYTE


def measure(options: Options) -> list[Measurement]:
    """Fill a store that has room for more, and weigh its files."""
    path = options.directory / "size.sqlite3"
    now = time.time()
    store = open_store(f"sqlite:///{path}", quota_bytes=ROOM)
    day.Day(store, LOAD, now=now).fill(now=now)
    store.close()
    return [
        Subject(GROUP, "size", "MB", QUOTA).exactly(_size(path) / MEGABYTE),
    ]


def _size(path: Path) -> int:
    return sum(file.stat().st_size for file in path.parent.glob(f"{path.name}*"))
