from __future__ import annotations

import os
from pathlib import Path

import pytest

from prs_otel.store.base import StoreError
from prs_otel.store.file_lock import exclusive


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store.lock"


def test_the_lock_is_held_by_one_at_a_time(path: Path) -> None:
    with (
        exclusive(path),
        pytest.raises(StoreError, match="is locked"),
        exclusive(path, timeout=0.02),
    ):
        pass


def test_the_lock_is_free_after_its_block(path: Path) -> None:
    with exclusive(path):
        pass

    with exclusive(path, timeout=0):
        assert path.exists()


def test_a_deleted_lock_file_is_made_anew(path: Path) -> None:
    with exclusive(path):
        path.unlink()
        with exclusive(path, timeout=0):
            assert path.exists()


def test_a_lock_on_a_file_that_was_deleted_meanwhile_does_not_count(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Delete the file at the first attempt, between opening and locking it."""
    opened = os.open
    attempts = 0

    def open_and_lose(*arguments: int | str, **options: int) -> int:
        nonlocal attempts
        attempts += 1
        descriptor = opened(*arguments, **options)  # type: ignore[arg-type]
        if attempts == 1:
            path.unlink()
        return descriptor

    monkeypatch.setattr(os, "open", open_and_lose)
    with exclusive(path):
        assert path.exists()
    assert attempts == 2


def test_a_lock_file_that_cannot_be_made_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file"), exclusive(tmp_path / "no" / "x"):
        pass


def test_a_file_system_that_cannot_lock_is_an_os_error(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(descriptor: int, operation: int) -> None:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr("fcntl.flock", refuse)
    with pytest.raises(OSError, match="not supported"), exclusive(path):
        pass
