from __future__ import annotations

import os

import pytest

from prs_otel.store import forking, sqlite_handle
from prs_otel.store.base import StoreError
from prs_otel.store.memory import MemoryStore
from prs_otel.store.sqlite import SqliteStore
from tests.prs_otel.store.stored import append, ids

# What a real fork does is tested with real processes, in tests/integration.


def become_child(monkeypatch: pytest.MonkeyPatch) -> None:
    child = os.getpid() + 1
    monkeypatch.setattr(os, "getpid", lambda: child)


def test_connections_are_closed_before_a_fork_and_come_back(
    sqlite_store: SqliteStore,
) -> None:
    append(sqlite_store, 1)
    ids(sqlite_store)

    forking._before()
    handles = (sqlite_store._access._reader, sqlite_store._access._writer)
    opened = [handle._opened for handle in handles]
    forking._after_in_parent()

    assert opened == [None, None]
    assert len(ids(sqlite_store)) == 1


def test_a_fork_does_not_wait_long_for_a_call_in_flight(
    sqlite_store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    append(sqlite_store, 1)
    monkeypatch.setattr(sqlite_handle, "FORK_WAIT", 0.01)

    with sqlite_store.reading() as reader:
        forking._before()
        forking._after_in_parent()
        rows = reader.rows()

    assert len(rows) == 1


def test_a_child_starts_with_locks_of_its_own(sqlite_store: SqliteStore) -> None:
    append(sqlite_store, 1)

    forking._before()
    forking._after_in_child()

    assert len(ids(sqlite_store)) == 1


def test_a_child_closes_an_idle_connection_it_inherited(
    sqlite_store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    append(sqlite_store, 1)
    inherited = sqlite_store._access._writer._opened

    become_child(monkeypatch)
    append(sqlite_store, 2)

    assert len(ids(sqlite_store)) == 2
    assert sqlite_store._access._writer._opened is not inherited
    assert inherited not in sqlite_handle._inherited


def test_a_child_neither_uses_nor_closes_a_connection_in_use(
    sqlite_store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    append(sqlite_store, 1)

    with sqlite_store.reading() as reader:
        become_child(monkeypatch)
        sqlite_store.forget_connections()
        inherited = sqlite_handle._inherited.pop()
        with pytest.raises(StoreError, match="cannot be read by a forked child"):
            reader.rows()
        assert len(ids(sqlite_store)) == 1

    inherited.connection.close()


def test_a_parent_s_connection_is_not_paused_by_its_child(
    sqlite_store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    append(sqlite_store, 1)
    become_child(monkeypatch)

    assert sqlite_store._access._writer.pause() is None


def test_a_child_s_memory_store_starts_empty(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    store = MemoryStore()
    append(store, 1)
    before = store.generation()

    become_child(monkeypatch)

    assert ids(store) == []
    assert store.generation() != before


def test_a_memory_store_can_be_told_to_forget() -> None:
    store = MemoryStore()
    append(store, 1)

    store.forget_connections()

    assert ids(store) == []
