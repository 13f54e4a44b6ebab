"""Read what the host and this process use, for a few dozen microseconds a time."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from typing import Final

import psutil

from prs_otel import native
from prs_otel.guard import guarded
from prs_otel.semconv import (
    DB_CLIENT_CONNECTION_COUNT,
    PROCESS_CPU_UTILIZATION,
    PROCESS_MEMORY_USAGE,
    PROCESS_THREAD_COUNT,
    SYSTEM_CPU_LOAD_AVERAGE_1M,
    SYSTEM_CPU_UTILIZATION,
    SYSTEM_FILESYSTEM_UTILIZATION,
    SYSTEM_MEMORY_UTILIZATION,
)

_PERCENT: Final = 100.0

# Processor use is measured from one reading to the next, so the first of a process, or
# of a forked child, needs one before it.
_FIRST_INTERVAL: Final = 0.1  # seconds

_process: psutil.Process | None = None
_host_reader: tuple[int, int] | None = None  # process and thread that read last


def host_gauges(directory: str = "/") -> dict[str, float]:
    """Return the use of processors, memory and the file system of `directory`, 0 to 1.

    Processor use is since the last call; the first call of a process takes a moment.
    What cannot be read is left out.
    """
    readings: dict[str, Callable[[], float]] = {
        SYSTEM_CPU_UTILIZATION: _host_processors,
        SYSTEM_MEMORY_UTILIZATION: lambda: psutil.virtual_memory().percent / _PERCENT,
        SYSTEM_FILESYSTEM_UTILIZATION: lambda: (
            psutil.disk_usage(directory).percent / _PERCENT
        ),
        SYSTEM_CPU_LOAD_AVERAGE_1M: lambda: os.getloadavg()[0],
    }
    gauges = {}
    for name, read in readings.items():
        # A deployment may have removed the directory: the others are still worth having.
        with guarded(f"gauges.{name}"):
            gauges[name] = read()
    return gauges


def process_gauges(connection_count: int = 0) -> dict[str, float]:
    """Return what this process uses; processor use is a share of one core.

    It is since the last call; the first call of a process takes a moment.
    """
    process = _current_process()
    with process.oneshot():
        return {
            PROCESS_CPU_UTILIZATION: process.cpu_percent() / _PERCENT,
            PROCESS_MEMORY_USAGE: float(process.memory_info().rss),
            PROCESS_THREAD_COUNT: float(process.num_threads()),
            DB_CLIENT_CONNECTION_COUNT: float(connection_count),
        }


def _current_process() -> psutil.Process:
    global _process
    process = _process
    if process is None or process.pid != os.getpid():
        process = _process = psutil.Process()
        process.cpu_percent()
        native.sleep(_FIRST_INTERVAL)
    return process


def _host_processors() -> float:
    global _host_reader
    reader = os.getpid(), threading.get_ident()
    if _host_reader != reader:  # psutil remembers readings by thread
        _host_reader = reader
        psutil.cpu_percent()
        native.sleep(_FIRST_INTERVAL)
    percent: float = psutil.cpu_percent()
    return percent / _PERCENT
