from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from prs_otel.store import sqlite_quota
from prs_otel.store.base import StoreError
from prs_otel.store.database_files import beside
from prs_otel.store.memory import MemoryStore
from prs_otel.store.sqlite import SqliteStore
from prs_otel.store.sqlite_quota import Quota
from tests.prs_otel.store.stored import NOW, OpenStore, append, bucket, ids

QUOTA = 2_000_000


@pytest.fixture
def small_store(path: Path, open_sqlite: OpenStore) -> SqliteStore:
    return open_sqlite(path, quota_bytes=QUOTA)


def fill(store: SqliteStore | MemoryStore, count: int, *, first: int = 1) -> None:
    for sequence in range(first, first + count):
        append(store, sequence, bucket(os.urandom(30_000), end=NOW + sequence))


def test_a_full_store_makes_room_by_dropping_its_oldest_rows(
    small_store: SqliteStore,
) -> None:
    fill(small_store, 200)

    with small_store.reading() as reader:
        ends = [row.end for row in reader.rows()]
    assert ends[-1] == NOW + 200
    assert ends == [NOW + 201 - len(ends) + each for each in range(len(ends))]
    assert len(ends) * 30_000 > QUOTA / 2


def test_the_file_and_its_log_stay_within_the_quota(
    small_store: SqliteStore, path: Path
) -> None:
    largest = 0
    for sequence in range(1, 200):
        fill(small_store, 1, first=sequence)
        largest = max(
            largest, path.stat().st_size + beside(path, "-wal").stat().st_size
        )

    assert largest <= QUOTA
    assert small_store.status()["quota_bytes"] == QUOTA


def test_documents_find_room_in_a_full_store(small_store: SqliteStore) -> None:
    fill(small_store, 60)

    small_store.put("status", b"x" * 100_000)

    assert small_store.get("status") == b"x" * 100_000


def test_more_than_a_store_should_hold_at_once_is_refused(
    small_store: SqliteStore,
) -> None:
    fill(small_store, 3)

    with pytest.raises(StoreError, match="too many for a monitoring store"):
        append(small_store, 4, bucket(b"x" * 1_000_000))

    assert len(ids(small_store)) == 3


def test_a_memory_store_keeps_to_its_quota() -> None:
    store = MemoryStore(quota_bytes=1_000_000)

    fill(store, 50)

    assert len(ids(store)) == 33
    assert store.status()["size_bytes"] == 990_000


def test_a_lowered_quota_shrinks_the_file(path: Path, open_sqlite: OpenStore) -> None:
    store = open_sqlite(path)
    fill(store, 100)
    store.close()

    count = store.evict(quota_bytes=QUOTA)
    store.close()

    assert count > 30
    assert path.stat().st_size <= Quota(QUOTA).database


def test_a_full_disk_is_reported_and_costs_no_history(
    sqlite_store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Let SQLite run out of pages far below the quota, as it would on a full disk."""
    fill(sqlite_store, 5)
    sqlite_store.close()
    apply = sqlite_quota.apply

    def apply_to_full_disk(quota: Quota, connection: sqlite3.Connection) -> None:
        apply(quota, connection)
        connection.execute("PRAGMA max_page_count = 1")

    monkeypatch.setattr(sqlite_quota, "apply", apply_to_full_disk)
    monkeypatch.setattr(sqlite_quota, "make_room", lambda *_, **__: 0)
    with pytest.raises(StoreError, match="no space left for it"):
        fill(sqlite_store, 1, first=6)
    monkeypatch.undo()
    sqlite_store.close()

    fill(sqlite_store, 1, first=6)
    assert len(ids(sqlite_store)) == 6


def test_room_is_made_only_when_it_is_the_quota_that_is_short(
    sqlite_store: SqliteStore, path: Path
) -> None:
    fill(sqlite_store, 3)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        quota = Quota(QUOTA)
        sqlite_quota.apply(quota, connection)
        assert sqlite_quota.make_room(connection, quota, size=1_000) == 0
        assert sqlite_quota.make_room(connection, quota, size=QUOTA) == 3
    assert ids(sqlite_store) == []


def test_a_reader_that_never_ends_cannot_make_the_log_grow_forever(
    small_store: SqliteStore, path: Path
) -> None:
    fill(small_store, 1)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("BEGIN")
        connection.execute("SELECT count(*) FROM bucket").fetchone()
        with pytest.raises(StoreError, match="does not end its transaction"):
            fill(small_store, 50, first=2)
        log = beside(path, "-wal").stat().st_size
        assert log < QUOTA / 4

    fill(small_store, 1, first=100)
    assert small_store.status()["last_error"] is not None
    with small_store.reading() as reader:
        assert max(row.end for row in reader.rows()) == NOW + 100
