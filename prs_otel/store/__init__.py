"""The shared store: every worker appends to it, any process reads all of it."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from prs_otel.store.base import DEFAULT_QUOTA, Store, StoreError

__all__ = ["Store", "StoreError", "file_of", "open_store"]

_SQLITE: Final = "sqlite:///"
_MEMORY: Final = "memory://"


def open_store(url: str, *, quota_bytes: int = DEFAULT_QUOTA) -> Store:
    """Return the store at a URL; nothing is read or created before its first use.

    `sqlite:////absolute/path` is shared by all processes of a host. `memory://` and
    `memory://name` are the same store wherever a process opens them. Raises `ValueError`
    for any other URL.
    """
    path = file_of(url)
    if path is None:
        from prs_otel.store import memory

        return memory.shared(url, quota_bytes=quota_bytes)
    from prs_otel.store.sqlite import SqliteStore

    return SqliteStore(path, quota_bytes=quota_bytes)


def file_of(url: str) -> Path | None:
    """Return the file that a store's URL names, `None` for a store in memory.

    Raises `ValueError` for what is no store's URL.
    """
    if url.startswith(_MEMORY):
        return None
    path = Path(url.removeprefix(_SQLITE))
    if url.startswith(_SQLITE) and path.is_absolute() and path.name:
        return path
    message = (
        f"{url!r} is no store: write sqlite:////absolute/path/of/a/file (with four"
        " slashes), memory:// or memory://name"
    )
    raise ValueError(message)
