from __future__ import annotations

import os
import sqlite3
import stat
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from prs_otel.store import sqlite_schema
from prs_otel.store.base import Reader, StoreError
from prs_otel.store.database_files import beside
from prs_otel.store.sqlite import SqliteStore
from prs_otel.store.sqlite_file import LIVELY, Opened
from tests.prs_otel.store.stored import OpenStore, append, beat, bucket, cells, ids
from tests.support.clock import Clock


def set_aside(path: Path) -> list[Path]:
    found = path.parent.glob("*.set-aside-*")
    return sorted(each for each in found if not each.name.endswith(("-wal", "-shm")))


def overwrite(path: Path, *, offset: int = 0) -> None:
    """Put garbage over the file from `offset` on, in place."""
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(offset)
        file.write(b"garbage!" * ((size - offset) // 8))


@contextmanager
def connected(path: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        yield connection


def test_a_deleted_file_is_made_anew_and_takes_the_next_append(
    sqlite_store: SqliteStore, path: Path, open_sqlite: OpenStore
) -> None:
    append(sqlite_store, 1)
    before = sqlite_store.generation()
    path.unlink()

    append(sqlite_store, 2, bucket(b"two"))

    assert cells(sqlite_store) == [b"two"]
    assert sqlite_store.generation() != before
    assert cells(open_sqlite(path)) == [b"two"]


def test_a_deleted_file_reads_as_an_empty_store(
    sqlite_store: SqliteStore, path: Path
) -> None:
    append(sqlite_store, 1)
    ids(sqlite_store)
    path.unlink()

    assert ids(sqlite_store) == []


def test_a_deleted_directory_is_made_anew(
    sqlite_store: SqliteStore, path: Path
) -> None:
    append(sqlite_store, 1)
    for each in list(path.parent.iterdir()):
        each.unlink()
    path.parent.rmdir()

    append(sqlite_store, 2)

    assert len(ids(sqlite_store)) == 1


@pytest.mark.parametrize(
    "suffixes", [("-wal", "-shm"), ("-wal",), ("-shm",)], ids="+".join
)
def test_nothing_is_lost_when_a_companion_of_the_file_is_deleted(
    sqlite_store: SqliteStore, path: Path, suffixes: tuple[str, ...]
) -> None:
    append(sqlite_store, 1, bucket(b"one"))
    for suffix in suffixes:
        beside(path, suffix).unlink()

    append(sqlite_store, 2, bucket(b"two"))

    assert cells(sqlite_store) == [b"one", b"two"]
    assert set_aside(path) == []


def test_a_reader_rescues_what_it_sees_when_the_log_is_deleted(
    sqlite_store: SqliteStore, path: Path
) -> None:
    append(sqlite_store, 1, bucket(b"one"))
    ids(sqlite_store)
    beside(path, "-wal").unlink()

    assert cells(sqlite_store) == [b"one"]
    append(sqlite_store, 2, bucket(b"two"))
    assert cells(sqlite_store) == [b"one", b"two"]


def test_a_log_deleted_within_a_snapshot_is_rescued_after_it(
    sqlite_store: SqliteStore, path: Path
) -> None:
    append(sqlite_store, 1, bucket(b"one"))
    handle = sqlite_store._access._reader
    with handle.held():
        opened = handle.opened()
        opened.connection.execute("BEGIN")
        beside(path, "-shm").unlink()
        assert handle.opened() is not opened

    assert cells(sqlite_store) == [b"one"]


def test_a_database_is_rescued_only_once(
    sqlite_store: SqliteStore, path: Path, open_sqlite: OpenStore
) -> None:
    append(sqlite_store, 1, bucket(b"one"))
    opened = sqlite_store._access._writer._opened
    assert opened is not None
    beside(path, "-wal").unlink()
    append(sqlite_store, 2, bucket(b"two"))
    generation = path.stat().st_ino

    sqlite_store._access.file.rescue(opened)

    assert path.stat().st_ino == generation
    assert cells(open_sqlite(path)) == [b"one", b"two"]


def test_an_emptied_file_is_made_anew(sqlite_store: SqliteStore, path: Path) -> None:
    append(sqlite_store, 1)
    sqlite_store.close()
    os.truncate(path, 0)

    append(sqlite_store, 2, bucket(b"two"))

    assert cells(sqlite_store) == [b"two"]


def test_a_file_that_is_no_database_is_set_aside(
    sqlite_store: SqliteStore, path: Path
) -> None:
    append(sqlite_store, 1)
    sqlite_store.close()
    overwrite(path)
    garbage = path.read_bytes()

    append(sqlite_store, 2, bucket(b"two"))

    assert cells(sqlite_store) == [b"two"]
    (aside,) = set_aside(path)
    assert aside.read_bytes() == garbage
    assert sqlite_store.status()["set_aside"] == [str(aside)]


def test_a_file_with_a_damaged_page_is_set_aside_by_a_writer(
    sqlite_store: SqliteStore, path: Path
) -> None:
    append(sqlite_store, 1)
    sqlite_store.close()
    overwrite(path, offset=4096 * 4)

    append(sqlite_store, 2, bucket(b"two"))

    assert cells(sqlite_store) == [b"two"]
    assert len(set_aside(path)) == 1


def test_damage_that_a_reader_finds_is_reported_and_gone_at_the_next_call(
    sqlite_store: SqliteStore, path: Path
) -> None:
    append(sqlite_store, 1)
    sqlite_store.close()
    with connected(path) as connection:
        root = "SELECT rootpage FROM sqlite_master WHERE name = 'bucket'"
        (page,) = connection.execute(root).fetchone()
    with path.open("r+b") as file:
        file.seek(4096 * (page - 1))
        file.write(b"\xff" * 4096)

    with pytest.raises(StoreError, match="its content is damaged"):
        ids(sqlite_store)

    assert ids(sqlite_store) == []
    assert len(set_aside(path)) == 1


@pytest.mark.parametrize(
    ("statement", "read"),
    [
        ("UPDATE bucket SET slowest = '{'", Reader.rows),
        ("UPDATE bucket SET slowest = CAST(x'ff' AS TEXT)", Reader.rows),
        ("UPDATE bucket SET replaces = '1'", Reader.rows),
        ("UPDATE worker SET figures = ''", Reader.beats),
        ("INSERT INTO rolling VALUES (1, '', '')", Reader.rolling),
    ],
)
def test_damage_that_sqlite_does_not_notice_is_noticed(
    sqlite_store: SqliteStore,
    path: Path,
    statement: str,
    read: Callable[[Reader], object],
) -> None:
    append(sqlite_store, 1)
    with connected(path) as connection:
        connection.execute(statement)

    with sqlite_store.reading() as reader, pytest.raises(StoreError, match="damaged"):
        getattr(reader, read.__name__)()

    assert ids(sqlite_store) == []
    assert len(set_aside(path)) == 1


def test_a_text_with_garbage_in_it_is_read_as_such(
    sqlite_store: SqliteStore, path: Path
) -> None:
    append(sqlite_store, 1, texts={"f1": "SELECT 1"})
    with connected(path) as connection:
        connection.execute("UPDATE text SET text = CAST(x'41ff' AS TEXT)")

    with sqlite_store.reading() as reader:
        assert reader.texts(["f1"]) == {"f1": "A\ufffd"}


def test_a_file_that_has_lost_tables_is_set_aside(
    sqlite_store: SqliteStore, path: Path
) -> None:
    append(sqlite_store, 1)
    sqlite_store.close()
    with connected(path) as connection:
        connection.execute("DROP TABLE gauges")

    append(sqlite_store, 2, bucket(b"two"))

    assert cells(sqlite_store) == [b"two"]
    assert len(set_aside(path)) == 1


def test_a_damaged_file_takes_its_log_along(
    sqlite_store: SqliteStore, path: Path, open_sqlite: OpenStore
) -> None:
    append(sqlite_store, 1)
    with path.open("r+b") as file:
        file.write(b"garbage!" * 512)

    other = open_sqlite(path)
    append(other, 1, bucket(b"other"))

    (aside,) = set_aside(path)
    assert beside(aside, "-wal").exists()
    append(sqlite_store, 2, bucket(b"two"))
    assert cells(other) == [b"other", b"two"]


def test_the_two_newest_files_set_aside_are_kept(
    path: Path, open_sqlite: OpenStore
) -> None:
    clock = Clock()
    store = open_sqlite(path, clock=clock)
    for _ in range(3):
        store.generation()
        store.close()
        overwrite(path)
        clock.advance(1)
    kept_before = len(set_aside(path))
    store.generation()
    store.close()

    names = [each.name.removeprefix(path.name) for each in set_aside(path)]
    assert kept_before == 2
    assert [name[: len(".set-aside-20231114T221322")] for name in names] == [
        ".set-aside-20231114T221322",
        ".set-aside-20231114T221323",
    ]


def test_a_file_of_an_older_format_is_set_aside(
    sqlite_store: SqliteStore, path: Path
) -> None:
    append(sqlite_store, 1)
    sqlite_store.close()
    with connected(path) as connection:
        connection.execute("PRAGMA user_version = 0")

    assert ids(sqlite_store) == []
    assert len(set_aside(path)) == 1


def test_a_file_that_newer_processes_use_is_left_to_them(
    path: Path, open_sqlite: OpenStore
) -> None:
    clock = Clock()
    store = open_sqlite(path, clock=clock)
    store.generation()
    store.close()
    with connected(path) as connection:
        connection.execute(f"PRAGMA user_version = {sqlite_schema.FORMAT_VERSION + 1}")
    os.utime(path, (clock.now, clock.now))

    with pytest.raises(StoreError, match="a newer prs-otel uses"):
        append(store, 1)
    assert set_aside(path) == []

    clock.advance(LIVELY)
    append(store, 1)
    assert len(set_aside(path)) == 1


def test_the_database_of_another_program_is_never_touched(
    sqlite_store: SqliteStore, path: Path
) -> None:
    path.parent.mkdir()
    with connected(path) as connection:
        connection.execute("CREATE TABLE deal (id INTEGER)")
    content = path.read_bytes()

    with pytest.raises(StoreError, match="belongs to another program"):
        append(sqlite_store, 1)

    assert path.read_bytes() == content
    assert sqlite_store.status()["reachable"] is False
    assert sqlite_store.status()["size_bytes"] == len(content)


@pytest.mark.parametrize("kind", ["directory", "pipe"])
def test_what_is_no_file_is_refused(
    sqlite_store: SqliteStore, path: Path, kind: str
) -> None:
    path.parent.mkdir()
    if kind == "directory":
        path.mkdir()
    else:
        os.mkfifo(path)

    with pytest.raises(StoreError, match="is not a regular file"):
        append(sqlite_store, 1)


def test_a_file_where_the_directory_should_be_is_reported(
    sqlite_store: SqliteStore, path: Path
) -> None:
    path.parent.write_text("")

    with pytest.raises(StoreError, match="cannot be used: Not a directory"):
        append(sqlite_store, 1)


def test_a_failure_is_remembered_and_over_when_its_cause_is(
    sqlite_store: SqliteStore, path: Path
) -> None:
    path.parent.write_text("")
    assert sqlite_store.generation() == ""
    status = sqlite_store.status()
    assert status["reachable"] is False
    assert status["size_bytes"] == 0
    assert "cannot be used" in str(status["last_error"])

    path.parent.unlink()

    append(sqlite_store, 1)
    assert sqlite_store.status()["reachable"] is True


def test_a_store_that_another_process_locks_is_given_up_in_time(
    sqlite_store: SqliteStore, path: Path
) -> None:
    append(sqlite_store, 1)
    with connected(path) as connection:
        connection.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match="another process keeps it locked"):
            sqlite_store.append(
                bucket(),
                worker="b" * 32,
                sequence=1,
                beat=beat("b" * 32),
                texts={},
                timeout=0.01,
            )

    append(sqlite_store, 2)
    assert len(ids(sqlite_store)) == 2


def test_a_file_replaced_at_every_step_is_reported(
    sqlite_store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Opened, "is_current", lambda _: False)

    with pytest.raises(StoreError, match="replaced over and over"):
        append(sqlite_store, 1)


def test_a_connection_that_broke_is_reported_and_opened_anew(
    sqlite_store: SqliteStore,
) -> None:
    append(sqlite_store, 1)
    with sqlite_store.reading() as reader:
        reader._opened.connection.close()
        with pytest.raises(StoreError, match="SQLite refused a statement"):
            reader.rows()

    assert len(ids(sqlite_store)) == 1


def test_a_writer_whose_connection_broke_tries_again(
    sqlite_store: SqliteStore,
) -> None:
    append(sqlite_store, 1)
    opened = sqlite_store._access._writer._opened
    assert opened is not None
    opened.connection.close()

    append(sqlite_store, 2)

    assert len(ids(sqlite_store)) == 2


def test_a_file_that_sqlite_cannot_open_is_left_alone(
    sqlite_store: SqliteStore, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    append(sqlite_store, 1)
    sqlite_store.close()

    def refuse(*_: object, **__: object) -> None:
        message = "unable to open database file"
        raise sqlite3.OperationalError(message)

    with monkeypatch.context() as patch:
        patch.setattr(sqlite3, "connect", refuse)
        with pytest.raises(StoreError, match="unable to open database file"):
            append(sqlite_store, 2)

    append(sqlite_store, 2)
    assert len(ids(sqlite_store)) == 2
    assert set_aside(path) == []


def test_a_file_system_without_shared_memory_is_refused(
    sqlite_store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    class OldFashioned(sqlite3.Connection):
        def execute(self, sql: str, *parameters: object) -> sqlite3.Cursor:
            without = sql.replace("journal_mode = WAL", "journal_mode = DELETE")
            return super().execute(without, *parameters)  # type: ignore[arg-type]

    connect = sqlite3.connect
    monkeypatch.setattr(
        sqlite3, "connect", lambda *a, **k: connect(*a, factory=OldFashioned, **k)
    )

    with pytest.raises(StoreError, match="choose a store on a local disk"):
        append(sqlite_store, 1)


def test_files_are_for_their_owner_alone(sqlite_store: SqliteStore, path: Path) -> None:
    append(sqlite_store, 1)

    modes = {
        each.name: stat.S_IMODE(each.stat().st_mode) for each in path.parent.iterdir()
    }
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert set(modes.values()) == {0o600}
    assert len(modes) == 4
