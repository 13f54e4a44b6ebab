from __future__ import annotations

import sqlite3
import threading

import pytest

from prs_otel.store.base import StoreError
from prs_otel.store.sqlite import SqliteStore
from tests.prs_otel.store.stored import append, beat, ids


def test_a_snapshot_within_a_snapshot_is_refused_at_once(
    sqlite_store: SqliteStore,
) -> None:
    with (
        sqlite_store.reading(),
        pytest.raises(StoreError, match="this thread is using"),
        sqlite_store.reading(),
    ):
        pass


def test_a_thread_that_waits_too_long_for_another_gives_up(
    sqlite_store: SqliteStore,
) -> None:
    append(sqlite_store, 1)
    errors: list[str] = []

    def append_in_vain() -> None:
        try:
            sqlite_store.append(
                None,
                worker="b" * 32,
                sequence=1,
                beat=beat("b" * 32),
                texts={},
                timeout=0.01,
            )
        except StoreError as error:
            errors.append(str(error))

    with sqlite_store._access._writer.held():
        thread = threading.Thread(target=append_in_vain)
        thread.start()
        thread.join(30)

    assert errors == [
        "another thread of this process has been using the store too long"
    ]


def test_many_threads_append_and_read_at_once(sqlite_store: SqliteStore) -> None:
    def work(number: int) -> None:
        for sequence in range(20):
            append(sqlite_store, sequence, worker=f"{number:032}")
            ids(sqlite_store)

    threads = [threading.Thread(target=work, args=(each,)) for each in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert len(ids(sqlite_store)) == 80


def test_a_snapshot_that_cannot_be_ended_is_dropped(
    sqlite_store: SqliteStore,
) -> None:
    append(sqlite_store, 1)
    with sqlite_store.reading() as reader:
        # It ends here already, so that ending it again fails.
        reader._opened.connection.execute("ROLLBACK")

    assert sqlite_store._access._reader._opened is None
    assert len(ids(sqlite_store)) == 1


def test_the_generation_is_known_without_a_lock(sqlite_store: SqliteStore) -> None:
    with sqlite_store.reading() as reader:
        assert sqlite_store.generation() == reader.generation


def test_only_new_rows_are_read_again(
    sqlite_store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    append(sqlite_store, 1)
    with sqlite_store.reading() as reader:
        (first,) = reader.rows()
    append(sqlite_store, 2)

    with sqlite_store.reading() as reader:
        rows = reader.rows()

    assert rows[0] is first
    assert len(rows) == 2


def test_an_error_without_a_code_counts_as_a_refusal(
    sqlite_store: SqliteStore,
) -> None:
    error = sqlite_store._access.read_failed(sqlite3.ProgrammingError("closed"))

    assert str(error).endswith("SQLite refused a statement (closed)")
