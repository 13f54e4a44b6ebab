from __future__ import annotations

import gc
import os
from types import SimpleNamespace
from typing import Any

import pytest

from prs_otel.instrumentation import opened
from prs_otel.instrumentation.opened import Connections
from prs_otel.rollup import labelled, series


class Connection:
    """As much of a connection as is looked at."""

    def __init__(self, alias: str, *, is_open: bool = True) -> None:
        self.alias = alias
        self.connection = object() if is_open else None


class Pooled(Connection):
    """One of a backend that may keep pools."""

    _connection_pools: dict[Any, Any] = {}


@pytest.fixture(autouse=True)
def _none_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opened, "_known", {})
    monkeypatch.setattr(opened, "_pooling", {})
    monkeypatch.setattr(Pooled, "_connection_pools", {})


def note(*connections: Any) -> None:
    for connection in connections:
        opened.note(connection)


def psycopg_pool(**stats: int) -> Any:
    known = {"pool_size": 7, "pool_available": 4, "pool_max": 10}
    return SimpleNamespace(get_stats=lambda: {**known, "requests_waiting": 0, **stats})


def test_open_connections_are_counted_by_alias() -> None:
    found = [
        Connection("default"),
        Connection("default"),
        Connection("other"),
        Connection("other", is_open=False),
    ]
    note(*found, *found)

    assert opened.open_connections() == {"default": 2, "other": 1}
    assert opened.connections()["default"] == Connections(used=2, idle=0)


def test_a_connection_that_is_forgotten_no_longer_counts() -> None:
    connection = Connection("default")
    note(connection)
    del connection
    gc.collect()

    assert opened.known() == []
    assert opened.open_connections() == {}


def test_of_a_pool_all_connections_count() -> None:
    found = [Pooled("default"), Pooled("default"), Pooled("plain")]
    Pooled._connection_pools["default"] = psycopg_pool(requests_waiting=2)
    note(*found)

    assert opened.open_connections() == {"default": 7, "plain": 1}
    assert opened.connections()["default"] == Connections(
        used=3, idle=4, waiting=2, limit=10
    )


def test_a_pool_that_nobody_uses_at_the_moment_still_counts() -> None:
    connection = Pooled("default")
    Pooled._connection_pools["default"] = psycopg_pool(pool_available=7)
    note(connection)
    del connection
    gc.collect()

    assert opened.connections() == {
        "default": Connections(used=0, idle=7, waiting=0, limit=10)
    }


def test_the_pools_of_oracle_are_counted_by_what_they_say() -> None:
    connection = Pooled("default")
    pool = SimpleNamespace(opened=5, busy=2, max=8)
    Pooled._connection_pools["default", "scott"] = pool
    note(connection)

    assert opened.connections() == {"default": Connections(used=2, idle=3, limit=8)}


def test_what_a_parent_process_had_open_is_not_the_childs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    inherited: Any = Connection("default")
    own = Connection("default")
    pooled = Pooled("pooled")
    Pooled._connection_pools["pooled"] = psycopg_pool()
    note(inherited, pooled)
    monkeypatch.setattr(os, "getpid", lambda: -1)
    note(own)

    assert opened.open_connections() == {"default": 1}
    # Its wrapper is still to be taken out.
    assert inherited in opened.known()


def test_connections_are_told_by_alias_and_state() -> None:
    found = [Pooled("default"), Connection("other")]
    Pooled._connection_pools["default"] = psycopg_pool()
    note(*found)

    figures = opened.figures()

    assert labelled.parts(figures, "db.client.connection.count") == {
        ("default", "used"): 3,
        ("default", "idle"): 4,
        ("other", "used"): 1,
        ("other", "idle"): 0,
    }
    assert labelled.parts(figures, "db.client.connection.max") == {("default",): 10}
    assert labelled.parts(figures, "db.client.connection.pending_requests") == {
        ("default",): 0
    }


def test_more_aliases_than_are_told_are_told_together() -> None:
    found = [Connection(f"tenant{n}") for n in range(70)]
    note(*found)

    told = labelled.parts(opened.figures(), "db.client.connection.count")

    assert sum(told.values()) == 70
    assert len(told) == 2 * 51
    assert told[series.OTHER, "used"] == 20
