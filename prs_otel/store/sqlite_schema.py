"""The tables of a store's file, and how its rows become what a reader is given."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Final

from prs_otel.store.base import Beat, Lease, Part, Row
from prs_otel.store.sqlite_faults import DamagedError

if TYPE_CHECKING:
    import sqlite3

APPLICATION_ID: Final = 0x5052534F
"""Tells our file from any other SQLite database; the letters PRSO."""
FORMAT_VERSION: Final = 5
"""Raised with every change to the tables or to what is in them: a file of another version is set aside."""

# AUTOINCREMENT: an id is never given twice, so whoever remembers one is never misled.
# The parts have tables of their own, so that listing buckets reads none of their pages.
_TABLES: Final = """
CREATE TABLE store (
    generation TEXT NOT NULL, known_since REAL NOT NULL
);
CREATE TABLE bucket (
    id INTEGER PRIMARY KEY AUTOINCREMENT, level INTEGER NOT NULL,
    start_at REAL NOT NULL, end_at REAL NOT NULL, size INTEGER NOT NULL,
    slowest TEXT NOT NULL, replaces TEXT NOT NULL
);
CREATE TABLE cells (id INTEGER PRIMARY KEY, data BLOB NOT NULL);
CREATE TABLE samples (id INTEGER PRIMARY KEY, data BLOB NOT NULL);
CREATE TABLE gauges (id INTEGER PRIMARY KEY, data BLOB NOT NULL);
CREATE TABLE totals (id INTEGER PRIMARY KEY, data BLOB NOT NULL);
CREATE TABLE worker (
    worker TEXT PRIMARY KEY, sequence INTEGER NOT NULL, host TEXT NOT NULL,
    pid INTEGER NOT NULL, started_at REAL NOT NULL, seen_at REAL NOT NULL,
    figures TEXT NOT NULL, failures TEXT NOT NULL
);
CREATE TABLE text (
    fingerprint TEXT PRIMARY KEY, seen_at REAL NOT NULL, text TEXT NOT NULL
);
CREATE INDEX text_by_use ON text (seen_at);
CREATE TABLE rolling (
    id INTEGER PRIMARY KEY CHECK (id = 1), ids TEXT NOT NULL, cells BLOB NOT NULL
);
CREATE TABLE lifetime (
    id INTEGER PRIMARY KEY CHECK (id = 1), up_to INTEGER NOT NULL, cells BLOB NOT NULL
);
CREATE TABLE lease (
    name TEXT PRIMARY KEY, holder TEXT NOT NULL, host TEXT NOT NULL,
    pid INTEGER NOT NULL, epoch INTEGER NOT NULL, expires_at REAL NOT NULL
);
CREATE TABLE document (key TEXT PRIMARY KEY, value BLOB NOT NULL)
"""

ROWS: Final = (
    "SELECT id, level, start_at, end_at, size, slowest, replaces FROM bucket"
    " WHERE id IN (SELECT value FROM json_each(?))"
)
TIP: Final = (
    "SELECT count(*), max(id), max(CASE WHEN end_at <= ? THEN end_at END) FROM bucket"
)
READ: Final[Mapping[Part, str]] = {
    "cells": "SELECT id, data FROM bucket LEFT JOIN cells USING (id)"
    " WHERE id IN (SELECT value FROM json_each(?))",
    "samples": "SELECT id, data FROM bucket LEFT JOIN samples USING (id)"
    " WHERE id IN (SELECT value FROM json_each(?))",
    "gauges": "SELECT id, data FROM bucket LEFT JOIN gauges USING (id)"
    " WHERE id IN (SELECT value FROM json_each(?))",
    "totals": "SELECT id, data FROM bucket LEFT JOIN totals USING (id)"
    " WHERE id IN (SELECT value FROM json_each(?))",
}
INSERT: Final[Mapping[Part, str]] = {
    "cells": "INSERT INTO cells (id, data) VALUES (?, ?)",
    "samples": "INSERT INTO samples (id, data) VALUES (?, ?)",
    "gauges": "INSERT INTO gauges (id, data) VALUES (?, ?)",
    "totals": "INSERT INTO totals (id, data) VALUES (?, ?)",
}
LEASE: Final = (
    "SELECT name, holder, host, pid, epoch, expires_at FROM lease WHERE name = ?"
)
WRITE_LIFETIME: Final = (
    "INSERT OR REPLACE INTO lifetime (id, up_to, cells) SELECT 1, id, ? FROM bucket"
    " WHERE id = ? AND id > coalesce((SELECT up_to FROM lifetime), -1)"
)
_NOTE_LOSS: Final = (
    "UPDATE store SET known_since = max(known_since, coalesce((SELECT max(end_at)"
    " FROM bucket WHERE id IN (SELECT value FROM json_each(?))), known_since))"
)
_DELETE: Final = (
    # First, while it can be told which of them no lifetime has counted yet.
    (
        "DELETE FROM lifetime WHERE EXISTS (SELECT 1 FROM bucket WHERE level = 0"
        " AND id > up_to AND id IN (SELECT value FROM json_each(?)))"
    ),
    "DELETE FROM cells WHERE id IN (SELECT value FROM json_each(?))",
    "DELETE FROM samples WHERE id IN (SELECT value FROM json_each(?))",
    "DELETE FROM gauges WHERE id IN (SELECT value FROM json_each(?))",
    "DELETE FROM totals WHERE id IN (SELECT value FROM json_each(?))",
    # Last, because its count is the answer.
    "DELETE FROM bucket WHERE id IN (SELECT value FROM json_each(?))",
)


def create(connection: sqlite3.Connection, *, now: float) -> None:
    """Make all tables in an empty file, wholly or not at all."""
    # Settled by the first table: lets a file shrink when its quota is lowered.
    connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
    connection.execute("BEGIN IMMEDIATE")
    for statement in _TABLES.split(";"):
        connection.execute(statement)
    connection.execute("INSERT INTO store VALUES (?, ?)", (uuid.uuid4().hex, now))
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {FORMAT_VERSION}")
    connection.execute("COMMIT")


def drop_rows(connection: sqlite3.Connection, ids: Iterable[int]) -> int:
    """Delete buckets for good: what was before their end is no longer all known."""
    listed = list(ids)
    connection.execute(_NOTE_LOSS, (id_list(listed),))
    return delete_rows(connection, listed)


def note_loss(connection: sqlite3.Connection, *, before: float) -> None:
    """Note that what was before a time is no longer all known."""
    connection.execute("UPDATE store SET known_since = max(known_since, ?)", (before,))


def delete_rows(connection: sqlite3.Connection, ids: Iterable[int]) -> int:
    """Delete buckets with their parts, and return how many there were."""
    listed = id_list(ids)
    return [connection.execute(delete, (listed,)).rowcount for delete in _DELETE][-1]


def id_list(ids: Iterable[int]) -> str:
    """Return ids in the form in which the statements above take any number of them."""
    return json.dumps(list(ids), separators=(",", ":"))


def to_text(figures: Mapping[str, float]) -> str:
    """Return a small mapping as it is stored."""
    return json.dumps(dict(figures), separators=(",", ":"))


def to_row(found: tuple[int, int, float, float, int, str, str]) -> Row:
    """Return the row that `ROWS` has found."""
    number, level, start, end, size, slowest, replaces = found
    return Row(
        id=number,
        level=level,
        start=start,
        end=end,
        size=size,
        slowest=json.loads(slowest),
        replaces=tuple(json.loads(replaces)),
    )


def to_beat(found: tuple[str, str, int, float, float, str, str]) -> Beat:
    """Return the beat of one line of the worker table, without its sequence."""
    worker, host, pid, started_at, seen_at, figures, failures = found
    return Beat(
        worker=worker,
        host=host,
        pid=pid,
        started_at=started_at,
        seen_at=seen_at,
        figures=json.loads(figures),
        failures=json.loads(failures),
    )


def find_generation(connection: sqlite3.Connection) -> str:
    """Return the generation of a file.

    Raises `DamagedError` for a file that has lost some of its tables.
    """
    (tables,) = connection.execute(
        "SELECT count(*) FROM sqlite_master"
        " WHERE type = 'table' AND name NOT LIKE 'sqlite%'"
    ).fetchone()
    if tables != _TABLES.count("CREATE TABLE"):
        message = "it has lost some of its tables"
        raise DamagedError(message)
    (generation,) = connection.execute("SELECT max(generation) FROM store").fetchone()
    return str(generation)


def find_lease(connection: sqlite3.Connection, name: str) -> Lease | None:
    """Return a lease as last taken or released."""
    found = connection.execute(LEASE, (name,)).fetchone()
    return None if found is None else Lease(*found)
