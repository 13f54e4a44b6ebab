"""However a process forks: what each of them counted is counted once."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.sites import REPOSITORY, clean_environment


def played(scene: str, directory: Path) -> dict[str, Any]:
    """Play a scene of `forking` in a process of its own; return what it tells."""
    done = subprocess.run(
        [
            *(sys.executable, "-m", "tests.integration.forking"),
            *(f"sqlite:///{directory}/store/store.sqlite3", scene),
        ],
        capture_output=True,
        check=False,
        cwd=REPOSITORY,
        env=clean_environment(),
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert "prs_otel failed" not in done.stderr
    told: dict[str, Any] = json.loads(done.stdout)
    return told


@pytest.mark.parametrize(
    ("scene", "expected"),
    [
        ("a_child", 6),
        ("a_child_of_a_child", 6),
        ("a_child_of_multiprocessing", 6),
        ("a_grandchild_of_multiprocessing", 7),
        ("a_pool", 7),
        ("a_fork_without_hooks", 5),
        ("a_terminated_flush", 1_000),
    ],
)
def test_nothing_is_lost_or_counted_twice(
    tmp_path: Path, scene: str, expected: int
) -> None:
    assert played(scene, tmp_path) == {"counted": expected}


def test_a_child_waits_for_no_lock_that_a_thread_of_its_parent_held(
    tmp_path: Path,
) -> None:
    told = played("every_lock_held", tmp_path)

    assert told == {"counted": 200, "is_prompt": True}


def test_a_child_of_a_server_does_not_lead_in_its_place(tmp_path: Path) -> None:
    told = played("helpers_of_a_server", tmp_path)

    assert told == {"counted": 1, "leads": True, "helps": "false"}
