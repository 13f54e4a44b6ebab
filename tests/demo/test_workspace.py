from __future__ import annotations

import stat
from pathlib import Path

import pytest

from demo_runner.workspace import WorkspaceError, workspace


def test_what_was_written_is_gone_afterwards(tmp_path: Path) -> None:
    with workspace(tmp_path / "state") as state:
        (state / "mail").mkdir()
        (state / "mail" / "one.log").write_text("text")
    assert not (tmp_path / "state").exists()


def test_it_is_gone_after_a_failure_too(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), workspace(tmp_path / "state"):
        _ = 1 / 0
    assert not (tmp_path / "state").exists()


def test_it_can_be_kept_and_begins_empty_again(tmp_path: Path) -> None:
    with workspace(tmp_path / "state", keep=True) as state:
        (state / "database").write_text("text")
        (state / "mail").mkdir()
    assert (tmp_path / "state" / "database").exists()
    with workspace(tmp_path / "state") as state:
        assert list(state.iterdir()) == []


def test_only_its_owner_may_look_into_it(tmp_path: Path) -> None:
    with workspace(tmp_path / "state") as state:
        assert stat.S_IMODE(state.stat().st_mode) == 0o700


def test_two_demos_do_not_share_one(tmp_path: Path) -> None:
    with workspace(tmp_path / "state") as state:
        (state / "database").write_text("text")
        with pytest.raises(WorkspaceError), workspace(tmp_path / "state"):
            raise AssertionError
        assert (state / "database").exists()
