from __future__ import annotations

import os
from pathlib import Path

import pytest

from prs_otel.store.base import StoreError
from tests.prs_otel.store.stored import OpenStore, append, cells, ids


@pytest.fixture
def _somebody_else(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let this process run as a user who owns none of what the test has made."""
    stranger = os.geteuid() + 1
    monkeypatch.setattr(os, "geteuid", lambda: stranger)


def test_our_link_is_followed_to_its_file(
    tmp_path: Path, open_sqlite: OpenStore
) -> None:
    target = tmp_path / "volume"
    target.mkdir()
    link = tmp_path / "store.sqlite3"
    link.symlink_to(target / "real.sqlite3")
    store = open_sqlite(link)

    append(store, 1)

    assert len(ids(store)) == 1
    assert (target / "real.sqlite3-wal").exists()


def test_a_link_that_is_pointed_elsewhere_is_followed_there(
    tmp_path: Path, open_sqlite: OpenStore
) -> None:
    link = tmp_path / "store.sqlite3"
    link.symlink_to(tmp_path / "first.sqlite3")
    store = open_sqlite(link)
    append(store, 1)
    link.unlink()
    link.symlink_to(tmp_path / "second.sqlite3")

    append(store, 2)

    assert cells(open_sqlite(tmp_path / "second.sqlite3")) == cells(store)
    assert len(ids(store)) == 1


@pytest.mark.usefixtures("_somebody_else")
def test_the_link_of_another_user_is_refused(
    tmp_path: Path, open_sqlite: OpenStore
) -> None:
    link = tmp_path / "store.sqlite3"
    link.symlink_to(tmp_path / "real.sqlite3")

    with pytest.raises(StoreError, match=r"the link .* belongs to user"):
        append(open_sqlite(link), 1)


@pytest.mark.usefixtures("_somebody_else")
def test_the_directory_of_another_user_is_refused(
    tmp_path: Path, open_sqlite: OpenStore
) -> None:
    with pytest.raises(StoreError, match=r"the directory .* belongs to user .* sub"):
        append(open_sqlite(tmp_path / "store.sqlite3"), 1)


def test_the_file_of_another_user_is_refused(
    tmp_path: Path, open_sqlite: OpenStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "store.sqlite3"
    append(open_sqlite(path), 1)
    stranger = os.geteuid() + 1
    real = Path.lstat

    def lstat(self: Path) -> os.stat_result:
        values = list(real(self))
        values[4] = stranger
        return os.stat_result(values)

    monkeypatch.setattr(Path, "lstat", lstat)
    with pytest.raises(StoreError, match=rf"the file .* belongs to user {stranger}"):
        append(open_sqlite(path), 2)
