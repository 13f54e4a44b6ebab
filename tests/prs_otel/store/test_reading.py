from __future__ import annotations

import time
from pathlib import Path

import pytest

from prs_otel.store.base import Bucket, Removed, Store, Tip
from prs_otel.store.memory import MemoryStore
from tests.prs_otel.store.stored import (
    NOW,
    OpenStore,
    append,
    bucket,
    cells,
    ids,
    lead,
)


def known_since(store: Store) -> float:
    with store.reading() as reader:
        return reader.known_since


def test_an_empty_store_has_nothing_to_read(store: Store) -> None:
    with store.reading() as reader:
        assert reader.rows() == []
        assert reader.read("cells", [1]) == {}
        assert reader.rolling() is None
        assert reader.beats() == []
        assert reader.lease("leader") is None


def test_a_snapshot_does_not_see_what_is_appended_later(store: Store) -> None:
    append(store, 1)

    with store.reading() as reader:
        append(store, 2, texts={"f1": "SELECT 1"})
        seen = reader.rows()
        texts = reader.texts(["f1"])

    assert len(seen) == 1
    assert texts == {}
    assert len(ids(store)) == 2


def test_a_snapshot_still_has_what_is_compacted_meanwhile(store: Store) -> None:
    append(store, 1)
    append(store, 2)
    epoch = lead(store).epoch

    with store.reading() as reader:
        old = [row.id for row in reader.rows()]
        store.replace(old, bucket(b"both"), keeps_series=True, epoch=epoch)
        still = reader.read("cells", old)

    assert len(still) == 2
    assert cells(store) == [b"both"]


def test_a_part_that_a_row_does_not_have_is_empty(store: Store) -> None:
    append(store, 1, bucket(b""))

    with store.reading() as reader:
        (row,) = reader.rows()
        assert reader.read("cells", [row.id, row.id + 1]) == {row.id: b""}


def test_any_number_of_rows_is_read_at_once(store: Store) -> None:
    append(store, 1)
    (one,) = ids(store)

    with store.reading() as reader:
        assert reader.read("cells", [one, *range(10**6, 10**6 + 40_000)]).keys() == {
            one
        }


def test_an_id_is_never_given_twice(store: Store) -> None:
    append(store, 1)
    (first,) = ids(store)
    store.replace([first], None, keeps_series=False, epoch=lead(store).epoch)

    append(store, 2)

    assert ids(store) == [first + 1]


def test_the_generation_of_a_snapshot_is_that_of_the_store(store: Store) -> None:
    with store.reading() as reader:
        assert reader.generation == store.generation() != ""


def test_a_store_knows_when_it_began(store: Store) -> None:
    with store.reading() as reader:
        assert abs(reader.known_since - time.time()) < 60


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
def test_what_was_dropped_is_no_longer_known(
    kind: str, path: Path, open_sqlite: OpenStore
) -> None:
    def clock() -> float:
        return NOW - 1_000

    store: Store = (
        MemoryStore(clock=clock) if kind == "memory" else open_sqlite(path, clock=clock)
    )
    for n in range(3):
        append(store, n + 1, bucket(b"x" * 400_000, end=NOW + n))
    assert known_since(store) == NOW - 1_000
    first, *_ = ids(store)

    store.replace([first], bucket(), keeps_series=True, epoch=lead(store).epoch)
    assert known_since(store) == NOW - 1_000
    store.replace([first + 1], None, keeps_series=False, epoch=lead(store).epoch)
    assert known_since(store) == NOW + 1
    store.evict(quota_bytes=1)
    assert known_since(store) == NOW + 2


def test_an_error_of_the_caller_passes_and_leaves_the_store_usable(
    store: Store,
) -> None:
    def fail() -> None:
        message = "of the caller"
        raise OSError(message)

    with pytest.raises(OSError, match="of the caller"), store.reading():
        fail()

    append(store, 1)
    assert len(ids(store)) == 1


def test_the_oldest_rows_go_first_when_room_is_needed(store: Store) -> None:
    def sized(end: float) -> Bucket:
        return bucket(b"x" * 400_000, end=end)

    append(store, 1, sized(3_000.0))
    append(store, 2, sized(1_000.0))
    append(store, 3, sized(2_000.0))

    removed = store.evict(quota_bytes=1_100_000)

    with store.reading() as reader:
        ends = sorted(row.end for row in reader.rows())
    assert removed.buckets == 3 - len(ends)
    assert ends in ([3_000.0], [2_000.0, 3_000.0])


def test_nothing_goes_while_there_is_room(store: Store) -> None:
    append(store, 1)

    assert store.evict(quota_bytes=10_000_000) == Removed()
    assert len(ids(store)) == 1


def test_the_tip_says_of_the_rows_what_changes_with_them(store: Store) -> None:
    with store.reading() as reader:
        assert reader.tip(NOW) == Tip(0, 0, 0.0)
    append(store, 1)
    append(store, 2)

    with store.reading() as reader:
        rows = reader.rows()
        latest, long_ago = reader.tip(NOW + 1e6), reader.tip(0.0)

    newest = max(row.id for row in rows)
    assert latest == Tip(2, newest, max(row.end for row in rows))
    assert long_ago == Tip(2, newest, 0.0)
