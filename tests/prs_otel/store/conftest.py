from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from prs_otel.store import open_store
from prs_otel.store.base import Store
from prs_otel.store.sqlite import SqliteStore
from tests.prs_otel.store.stored import OpenStore

_numbers = itertools.count()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store" / "deltas.sqlite3"


@pytest.fixture
def open_sqlite() -> Iterator[OpenStore]:
    stores: list[SqliteStore] = []

    def opened(path: Path, **options: Any) -> SqliteStore:
        stores.append(SqliteStore(path, **options))
        return stores[-1]

    yield opened
    for store in stores:
        store.close()


@pytest.fixture
def sqlite_store(path: Path, open_sqlite: OpenStore) -> SqliteStore:
    return open_sqlite(path)


@pytest.fixture(params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, path: Path) -> Iterator[Store]:
    """Return each kind of store in turn: what holds for one holds for all."""
    is_memory = request.param == "memory"
    url = f"memory://contract-{next(_numbers)}" if is_memory else f"sqlite:///{path}"
    store = open_store(url)
    yield store
    store.close()
