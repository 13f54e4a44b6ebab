"""Read a snapshot of the file: what is listed here stays true until the block ends."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from prs_otel.store import sqlite_faults, sqlite_schema
from prs_otel.store.base import Beat, Lease, Part, Row, StoreError, Tip

if TYPE_CHECKING:
    from prs_otel.store.sqlite_file import Opened

T = TypeVar("T")


class SqliteReader:
    """Read within the transaction that is open on a connection.

    `failed` is told of each failure and returns what to raise.
    """

    def __init__(
        self, opened: Opened, failed: Callable[[sqlite3.Error], StoreError]
    ) -> None:
        self._opened = opened
        self._failed = failed
        self._pid = os.getpid()

    @property
    def known_since(self) -> float:
        """Return since when the file has kept everything, epoch seconds."""
        ((since,),) = self._fetch("SELECT max(known_since) FROM store")
        return float(since or 0.0)

    @property
    def generation(self) -> str:
        """Return the identity of the file's content."""
        return self._opened.generation

    def rows(self) -> list[Row]:
        """Return every row, by id; only those not seen before are read."""
        ids = [number for (number,) in self._fetch("SELECT id FROM bucket ORDER BY id")]
        known = self._opened.rows
        unknown = sqlite_schema.id_list(id_ for id_ in ids if id_ not in known)
        found = self._fetch(sqlite_schema.ROWS, unknown) if unknown != "[]" else []
        known.update((row.id, row) for row in self._made(sqlite_schema.to_row, found))
        for gone in known.keys() - set(ids):
            del known[gone]
        return [known[number] for number in ids]

    def tip(self, now: float) -> Tip:
        """Return where the rows end."""
        ((count, newest, end),) = self._fetch(sqlite_schema.TIP, now)
        return Tip(count, newest or 0, end or 0.0)

    def read(self, part: Part, ids: Sequence[int]) -> dict[int, bytes]:
        """Return one part of the rows that exist, `b""` where a row has none."""
        found = self._fetch(sqlite_schema.READ[part], sqlite_schema.id_list(ids))
        return {number: data or b"" for number, data in found}

    def rolling(self) -> tuple[tuple[int, ...], bytes] | None:
        """Return the ids merged into the rolling total, and its cells."""
        found = self._fetch("SELECT ids, cells FROM rolling")
        totals = self._made(
            lambda total: (tuple(json.loads(total[0])), total[1]), found
        )
        return totals[0] if totals else None

    def lifetime(self) -> tuple[int, bytes] | None:
        """Return the newest row in the lifetime, and its cells."""
        for up_to, cells in self._fetch("SELECT up_to, cells FROM lifetime"):
            return int(up_to), bytes(cells)
        return None

    def texts(self, fingerprints: Collection[str]) -> dict[str, str]:
        """Return the text of each fingerprint that is known."""
        return dict(
            self._fetch(
                "SELECT fingerprint, text FROM text"
                " WHERE fingerprint IN (SELECT value FROM json_each(?))",
                json.dumps(list(fingerprints)),
            )
        )

    def beats(self) -> list[Beat]:
        """Return the latest beat of every worker, by name."""
        found = self._fetch(
            "SELECT worker, host, pid, started_at, seen_at, figures, failures"
            " FROM worker ORDER BY worker"
        )
        return self._made(sqlite_schema.to_beat, found)

    def lease(self, name: str) -> Lease | None:
        """Return the lease as last taken, expired or not; None when released."""
        found = self._fetch(sqlite_schema.LEASE, name)
        return Lease(*found[0]) if found and found[0][1] else None

    def document(self, key: str) -> bytes | None:
        """Return a document, None when there is none."""
        for (value,) in self._fetch("SELECT value FROM document WHERE key = ?", key):
            return bytes(value)
        return None

    def keys(self, prefix: str) -> list[str]:
        """Return the keys of documents that start with `prefix`, sorted."""
        found = self._fetch("SELECT key FROM document ORDER BY key")
        return [key for (key,) in found if key.startswith(prefix)]

    def _made(self, make: Callable[[Any], T], found: list[Any]) -> list[T]:
        try:
            return [make(each) for each in found]
        except (TypeError, ValueError) as error:
            # Garbage within a page: SQLite has no checksums that would tell.
            raise self._failed(sqlite_faults.DamagedError(str(error))) from error

    def _fetch(self, sql: str, *parameters: str | float) -> list[Any]:
        if self._pid != os.getpid():
            message = "a snapshot of the store cannot be read by a forked child"
            raise StoreError(message)
        try:
            return self._opened.connection.execute(sql, parameters).fetchall()
        except sqlite3.Error as error:
            raise self._failed(error) from error
