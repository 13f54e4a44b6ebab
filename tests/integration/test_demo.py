"""The demo leaves nothing behind; what it shows and judges is in tests/demo."""

from __future__ import annotations

import os
import shutil
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.support.processes import Process, running
from tests.support.wait import wait_until

DEMO = Path(__file__).resolve().parents[2] / "demo"


@pytest.fixture
def demo(tmp_path: Path) -> Path:
    """Copy the demo, so that one somebody runs in the clone is left alone."""
    ignored = shutil.ignore_patterns(".state", "__pycache__")
    return Path(shutil.copytree(DEMO, tmp_path / "demo", ignore=ignored))


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "home").mkdir()
    return tmp_path / "home"


@pytest.fixture
def started(demo: Path, home: Path, tmp_path: Path) -> Iterator[Process]:
    with running(
        [sys.executable, str(demo / "run.py")],
        log=tmp_path / "log",
        environment={**os.environ, "HOME": str(home)},
        directory=tmp_path,
    ) as process:
        yield process


def everyone(process: Process) -> list[psutil.Process]:
    return psutil.Process(process.pid).children(recursive=True)


@pytest.mark.parametrize(
    ("signum", "status"), [(signal.SIGINT, 0), (signal.SIGTERM, 128 + signal.SIGTERM)]
)
def test_an_interrupted_demo_leaves_no_process_and_no_file(
    started: Process, demo: Path, home: Path, signum: int, status: int
) -> None:
    wait_until(
        lambda: "req/s" in started.output() or not started.is_running,
        seconds=60,
        what=started.output,
    )
    running_then = everyone(started)
    assert started.stop(with_signal=signum, seconds=30) == status
    _, alive = psutil.wait_procs(running_then, timeout=1)
    assert (len(running_then), alive) == (5, [])
    assert (demo / ".state").exists() is False
    assert list(home.rglob("*")) == []
