from __future__ import annotations

import gc
from types import SimpleNamespace
from typing import Any

import pytest

from prs_otel.instrumentation import opened


class Connection:
    """As much of a connection as is looked at."""

    def __init__(self, alias: str, *, is_open: bool = True) -> None:
        self.alias = alias
        self.connection = object() if is_open else None


@pytest.fixture(autouse=True)
def _none_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opened, "_known", {})


def test_open_connections_are_counted_by_alias() -> None:
    found: list[Any] = [
        Connection("default"),
        Connection("default"),
        Connection("other"),
        Connection("other", is_open=False),
    ]
    for connection in found:
        opened.note(connection)
        opened.note(connection)

    assert opened.open_connections() == {"default": 2, "other": 1}


def test_a_connection_that_is_forgotten_no_longer_counts() -> None:
    connection: Any = Connection("default")
    opened.note(connection)
    del connection
    gc.collect()

    assert opened.known() == []
    assert opened.open_connections() == {}


def test_of_a_pool_all_connections_count() -> None:
    pool = SimpleNamespace(get_stats=lambda: {"pool_size": 7})
    found: list[Any] = [Connection("default"), Connection("default")]
    for connection in found:
        connection._connection_pools = {"default": pool}
        opened.note(connection)

    assert opened.open_connections() == {"default": 7}
