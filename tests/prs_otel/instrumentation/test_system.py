from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from prs_otel import guard, native
from prs_otel.instrumentation import system

HOST = {
    "system.cpu.utilization",
    "system.memory.utilization",
    "system.filesystem.utilization",
    "system.cpu.load_average.1m",
}
PROCESS = {
    "db.client.connection.count",
    "process.cpu.utilization",
    "process.memory.usage",
    "process.thread.count",
}


@pytest.fixture(autouse=True)
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Let nothing have been read yet, and note every wait instead of waiting."""
    found: list[float] = []
    monkeypatch.setattr(system, "_process", None)
    monkeypatch.setattr(system, "_host_reader", None)
    monkeypatch.setattr(native, "sleep", found.append)
    return found


def test_the_hosts_use_is_ratios(slept: list[float]) -> None:
    first, second = system.host_gauges(), system.host_gauges("/tmp")

    assert first.keys() == second.keys() == HOST
    ratios = [value for name, value in second.items() if "utilization" in name]
    assert all(0 <= ratio <= 1 for ratio in ratios)
    assert slept == [0.1]


def test_a_directory_that_is_gone_costs_no_other_reading_of_the_host(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guard, "reraise", False)

    found = system.host_gauges(str(tmp_path / "removed"))

    assert found.keys() == HOST - {"system.filesystem.utilization"}
    assert guard.report() == {"gauges.system.filesystem.utilization": 1}


def test_the_processs_use_is_bytes_threads_and_a_share_of_a_core(
    slept: list[float],
) -> None:
    first, second = system.process_gauges(), system.process_gauges(3)

    assert first.keys() == second.keys() == PROCESS
    assert second["process.memory.usage"] > 10_000_000
    assert second["process.thread.count"] >= 1
    assert second["process.cpu.utilization"] >= 0
    assert second["db.client.connection.count"] == 3
    assert slept == [0.1]


def test_a_forked_child_measures_itself(
    slept: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    system.process_gauges()
    system.host_gauges()
    parent: Any = system._process
    monkeypatch.setattr(os, "getpid", os.getppid)
    system.process_gauges()
    system.host_gauges()

    assert slept == [0.1] * 4
    assert system._process is not parent
