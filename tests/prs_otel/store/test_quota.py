from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from prs_otel.store import sqlite_quota
from prs_otel.store.base import Removed, Store, StoreError, TooLargeError
from prs_otel.store.database_files import beside
from prs_otel.store.memory import MemoryStore
from prs_otel.store.sqlite import SqliteStore
from prs_otel.store.sqlite_quota import Quota
from tests.prs_otel.store.stored import NOW, OpenStore, append, bucket, ids

QUOTA = 2_000_000


@pytest.fixture
def small_store(path: Path, open_sqlite: OpenStore) -> SqliteStore:
    return open_sqlite(path, quota_bytes=QUOTA)


def fill(store: Store, count: int, *, first: int = 1) -> None:
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


@pytest.fixture(params=["memory", "sqlite"])
def any_small_store(
    request: pytest.FixtureRequest, path: Path, open_sqlite: OpenStore
) -> Store:
    if request.param == "memory":
        return MemoryStore(quota_bytes=QUOTA)
    return open_sqlite(path, quota_bytes=QUOTA)


def tell(store: Store, count: int, *, first: int = 0, at: float = NOW) -> None:
    """Append texts of 4 kB, ten at once, each ten a second after the last."""
    for start in range(first, first + count, 10):
        texts = {
            f"f{number}": f"{number:04}" * 1_000 for number in range(start, start + 10)
        }
        append(store, 0, worker="b" * 32, texts=texts, at=at + start // 10)


def known(store: Store, count: int) -> list[int]:
    """Return which of the first texts the store knows."""
    with store.reading() as reader:
        found = reader.texts([f"f{number}" for number in range(count)])
    return [number for number in range(count) if f"f{number}" in found]


def test_no_number_of_texts_pushes_out_the_history(any_small_store: Store) -> None:
    fill(any_small_store, 20)

    tell(any_small_store, 1_000)

    assert set(range(1, 21)) <= set(ids(any_small_store))
    assert 999 in known(any_small_store, 1_000)


def test_the_texts_longest_unused_make_room_for_others(any_small_store: Store) -> None:
    tell(any_small_store, 20)
    tell(any_small_store, 10, at=NOW + 600)
    tell(any_small_store, 50, first=20, at=NOW + 600)

    any_small_store.evict(quota_bytes=QUOTA)

    gone = set(range(70)) - set(known(any_small_store, 70))
    assert gone
    assert gone < set(range(10, 20))


def test_texts_are_kept_to_their_share_though_the_store_is_not_full(
    any_small_store: Store,
) -> None:
    tell(any_small_store, 100)

    any_small_store.evict(quota_bytes=QUOTA)

    numbers = known(any_small_store, 100)
    assert numbers == list(range(100 - len(numbers), 100))
    assert QUOTA / 16 < len(numbers) * 4_000 <= QUOTA / 8
    assert any_small_store.evict(quota_bytes=QUOTA) == Removed()


def test_documents_find_room_in_a_full_store(small_store: SqliteStore) -> None:
    fill(small_store, 60)

    small_store.put("status", b"x" * 100_000)

    assert small_store.get("status") == b"x" * 100_000


def test_more_than_a_store_should_hold_at_once_is_refused(
    small_store: SqliteStore,
) -> None:
    fill(small_store, 3)

    with pytest.raises(TooLargeError, match="too many for a monitoring store"):
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

    removed = store.evict(quota_bytes=QUOTA)
    store.close()

    assert removed.buckets > 30
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
        assert sqlite_quota.make_room(connection, quota, size=1_000) is False
        assert sqlite_quota.make_room(connection, quota, size=QUOTA) is True
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
