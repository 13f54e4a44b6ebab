"""What is written, each within one transaction; when to retry is for the caller."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import astuple, dataclass
from typing import TYPE_CHECKING

from prs_otel.store import lease as leases
from prs_otel.store import reset as resets
from prs_otel.store import sqlite_schema, sqlite_texts
from prs_otel.store.base import Removed
from prs_otel.store.sqlite_schema import id_list, to_text

if TYPE_CHECKING:
    from prs_otel.store.base import Beat, Bucket, Lease, Part


class LostRaceError(Exception):
    """Somebody else was first: what was written so far must be rolled back."""


@dataclass(frozen=True, slots=True)
class Append:
    """One flush of one worker."""

    bucket: Bucket | None
    sequence: int
    beat: Beat
    texts: Mapping[str, str]


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Write alone from here on; keep all of it, or nothing."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        # Some failures have rolled back already; what cannot be is dropped by the caller.
        with suppress(sqlite3.Error):
            connection.execute("ROLLBACK")
        raise


def append(connection: sqlite3.Connection, flush: Append) -> None:
    """Write a flush; a delta that was written before is left out."""
    mark = _high_water_mark(connection, flush.beat.worker)
    if flush.bucket is not None and flush.sequence > mark:
        _add_delta(connection, flush.bucket, seen_at=flush.beat.seen_at)
        mark = flush.sequence
    _write_beat(connection, flush.beat, mark)
    sqlite_texts.note(connection, flush.texts, seen_at=flush.beat.seen_at)


def _add_delta(
    connection: sqlite3.Connection, bucket: Bucket, *, seen_at: float
) -> None:
    """Write what a worker counted, unless a reset has cut it."""
    at = _reset_at(connection)
    if resets.is_cut(bucket, at=at, seen_at=seen_at):
        sqlite_schema.note_loss(connection, before=bucket.end)
    else:
        insert_bucket(connection, bucket, ())


def insert_bucket(
    connection: sqlite3.Connection, bucket: Bucket, replaces: Sequence[int]
) -> int:
    """Write a bucket with those of its parts that are not empty; return its id."""
    number = connection.execute(
        "INSERT INTO bucket (level, start_at, end_at, size, slowest, replaces)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        (
            bucket.level,
            bucket.start,
            bucket.end,
            bucket.size,
            to_text(bucket.slowest),
            id_list(replaces),
        ),
    ).lastrowid
    assert number is not None  # noqa: S101 - an INSERT always has one
    parts: dict[Part, bytes] = {
        "cells": bucket.cells,
        "samples": bucket.samples,
        "gauges": bucket.gauges,
        "totals": bucket.totals,
    }
    for part, data in parts.items():
        if data:
            connection.execute(sqlite_schema.INSERT[part], (number, data))
    return number


def replace(
    connection: sqlite3.Connection,
    old: Sequence[int],
    new: Bucket | None,
    *,
    keeps_series: bool,
) -> int:
    """Put one bucket in the place of others; its id, or 0 when they merely expire."""
    remove = sqlite_schema.drop_rows if new is None else sqlite_schema.delete_rows
    if remove(connection, old) != len(old):
        raise LostRaceError
    if new is None:
        return 0
    return insert_bucket(connection, new, old if keeps_series else ())


def check_epoch(connection: sqlite3.Connection, name: str, epoch: int) -> None:
    """Raise `LostRaceError` unless the lease still is the one that was given."""
    if not leases.is_current(sqlite_schema.find_lease(connection, name), epoch):
        raise LostRaceError


def write_rolling(
    connection: sqlite3.Connection, ids: Sequence[int], cells: bytes
) -> None:
    """Replace the rolling total."""
    connection.execute(
        "INSERT OR REPLACE INTO rolling (id, ids, cells) VALUES (1, ?, ?)",
        (id_list(ids), cells),
    )


def write_lifetime(connection: sqlite3.Connection, up_to: int, cells: bytes) -> None:
    """Replace the lifetime by one that reaches further, up to a row that is there."""
    written = connection.execute(sqlite_schema.WRITE_LIFETIME, (cells, up_to)).rowcount
    if written != 1:
        raise LostRaceError


def write_lease(connection: sqlite3.Connection, lease: Lease) -> None:
    """Replace a lease."""
    connection.execute(
        "INSERT OR REPLACE INTO lease (name, holder, host, pid, epoch, expires_at)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        astuple(lease),
    )


def forget(
    connection: sqlite3.Connection, *, texts_before: float, beats_before: float
) -> Removed:
    """Delete the texts and the workers last seen before these times."""
    texts = connection.execute("DELETE FROM text WHERE seen_at < ?", (texts_before,))
    workers = connection.execute(
        "DELETE FROM worker WHERE seen_at < ?", (beats_before,)
    )
    return Removed(texts=texts.rowcount, workers=workers.rowcount)


def expire(connection: sqlite3.Connection, *, ended_before: float) -> Removed:
    """Delete the buckets that ended before a time."""
    found = connection.execute(
        "SELECT id, size FROM bucket WHERE end_at < ?", (ended_before,)
    ).fetchall()
    count = sqlite_schema.drop_rows(connection, [number for number, _ in found])
    return Removed(buckets=count, size=sum(size for _, size in found))


def reset(connection: sqlite3.Connection, *, at: float) -> Removed:
    """Delete every bucket and all totals; deltas that began before `at` are cut."""
    at = resets.latest(at, known=_reset_at(connection))
    found = connection.execute("SELECT id, size FROM bucket").fetchall()
    count = sqlite_schema.delete_rows(connection, [number for number, _ in found])
    connection.execute("DELETE FROM rolling")
    connection.execute("DELETE FROM lifetime")
    connection.execute("UPDATE store SET known_since = ?", (at,))
    put(connection, resets.DOCUMENT, resets.encode(at))
    return Removed(buckets=count, size=sum(size for _, size in found))


def put(connection: sqlite3.Connection, key: str, value: bytes) -> None:
    """Replace a document."""
    connection.execute(
        "INSERT OR REPLACE INTO document (key, value) VALUES (?, ?)", (key, value)
    )


def delete(connection: sqlite3.Connection, key: str) -> None:
    """Delete a document."""
    connection.execute("DELETE FROM document WHERE key = ?", (key,))


def _reset_at(connection: sqlite3.Connection) -> float:
    found = connection.execute(
        "SELECT value FROM document WHERE key = ?", (resets.DOCUMENT,)
    ).fetchone()
    return resets.decode(None if found is None else found[0])


def _high_water_mark(connection: sqlite3.Connection, worker: str) -> int:
    found = connection.execute(
        "SELECT sequence FROM worker WHERE worker = ?", (worker,)
    ).fetchone()
    return -1 if found is None else int(found[0])


def _write_beat(connection: sqlite3.Connection, beat: Beat, mark: int) -> None:
    connection.execute(
        "INSERT OR REPLACE INTO worker (worker, sequence, host, pid, started_at,"
        " seen_at, figures, failures) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            beat.worker,
            mark,
            beat.host,
            beat.pid,
            beat.started_at,
            beat.seen_at,
            to_text(beat.figures),
            to_text(beat.failures),
        ),
    )
