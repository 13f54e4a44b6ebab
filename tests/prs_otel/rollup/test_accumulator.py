from __future__ import annotations

from dataclasses import replace

import pytest

from prs_otel.rollup import series
from prs_otel.rollup.compaction import Compactor
from prs_otel.rollup.view import MetricsView
from prs_otel.store.memory import MemoryStore
from tests.prs_otel.rollup.stored import (
    LIMIT,
    Writer,
    counts,
    new_view,
    requests,
)

NOW = 1_700_000_000.0
DAY = 86_400.0


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


def damage(store: MemoryStore, *numbers: int) -> None:
    """Let the store hold garbage in place of the cells of its nth buckets."""
    buckets = store._content.buckets
    for key in [list(buckets)[number] for number in numbers]:
        buckets[key] = replace(buckets[key], cells=b"?")


def lead(store: MemoryStore, *, now: float) -> int:
    lease = store.acquire("leader", holder="w1", host="h", pid=1, ttl=10, now=now)
    assert lease is not None
    return lease.epoch


def compact(
    store: MemoryStore, view: MetricsView, *, now: float, series_limit: int = LIMIT
) -> None:
    compactor = Compactor(store, series_limit=series_limit, retention_seconds=DAY)
    for replacement in compactor.compact(now=now, epoch=lead(store, now=now)):
        view.follow(replacement)


def test_a_damaged_bucket_is_left_out(store: MemoryStore) -> None:
    view = new_view(store)
    Writer(store, "w1").append(requests(("/a/", 10)), at=NOW)
    Writer(store, "w2").append(requests(("/b/", 10)), at=NOW)
    damage(store, 0)

    assert counts(view, seconds=60, now=NOW) == {"/b/": 1}
    assert counts(view, seconds=60, now=NOW + 70) == {}


def test_a_bucket_damaged_after_it_was_merged_still_leaves_the_window(
    store: MemoryStore,
) -> None:
    view = new_view(store)
    writer = Writer(store)
    writer.append(requests(("/a/", 10)), at=NOW)
    writer.append(requests(("/b/", 10)), at=NOW + 30)
    assert counts(view, seconds=60, now=NOW + 30) == {"/a/": 1, "/b/": 1}

    damage(store, 0)

    assert counts(view, seconds=60, now=NOW + 70) == {"/b/": 1}


def test_readers_agree_with_a_merge_from_which_damage_was_left_out(
    store: MemoryStore,
) -> None:
    leader, follower = new_view(store), new_view(store)
    for n, endpoint in enumerate(("/a/", "/b/")):
        Writer(store, f"w{n}").append(requests((endpoint, 10)), at=NOW - 60)
    for view in (leader, follower):
        assert counts(view, seconds=600, now=NOW) == {"/a/": 1, "/b/": 1}
    damage(store, 0)

    compact(store, leader, now=NOW)

    for view in (leader, follower, new_view(store)):
        assert counts(view, seconds=600, now=NOW) == {"/b/": 1}


@pytest.mark.parametrize("cells", [b"?", b"\0" * 40])
def test_a_damaged_rolling_total_is_not_used(store: MemoryStore, cells: bytes) -> None:
    Writer(store).append(requests(("/a/", 10)), at=NOW)
    with store.reading() as reader:
        ids = [row.id for row in reader.rows()]
    assert store.write_rolling(ids, cells, epoch=lead(store, now=NOW))

    assert counts(new_view(store), seconds=DAY, now=NOW) == {"/a/": 1}


def test_a_rolling_total_of_another_day_is_not_used(store: MemoryStore) -> None:
    view = new_view(store)
    Writer(store).append(requests(("/a/", 10)), at=NOW - 60)
    compact(store, view, now=NOW)
    ids, cells = view.rolling(DAY, now=NOW)
    assert store.write_rolling(ids, cells, epoch=lead(store, now=NOW))
    later = NOW + 2 * DAY
    Writer(store, "w2").append(requests(("/b/", 10)), at=later)

    assert counts(new_view(store), seconds=DAY, now=later) == {"/b/": 1}


def test_a_reader_that_starts_from_a_folded_total_knows_who_was_folded(
    store: MemoryStore,
) -> None:
    def append(worker: str, *observed: tuple[str, int], at: float) -> None:
        Writer(store, worker).append(requests(*observed), at=at)

    limit = 2
    leader = new_view(store, series_limit=limit)
    append("w1", ("/a/", 1), ("/b/", 1), at=NOW - DAY)
    compact(store, leader, now=NOW - DAY + 60, series_limit=limit)
    leader.rolling(DAY, now=NOW - DAY + 60)
    append("w2", ("/c/", 1), ("/c/", 1), at=NOW - DAY + 100)
    compact(store, leader, now=NOW - DAY + 200, series_limit=limit)
    leader.rolling(DAY, now=NOW - DAY + 200)
    ids, cells = leader.rolling(DAY, now=NOW + 20)
    assert store.write_rolling(ids, cells, epoch=lead(store, now=NOW + 20))
    append("w3", ("/c/", 1), at=NOW + 30)
    cold = new_view(store, series_limit=limit)
    cold.window(DAY, now=NOW + 30)

    window = cold.window(DAY, now=NOW + 400)

    assert window.total(series.REQUEST).count == 1
    assert all(each.count > 0 for each in window.figures(series.REQUEST).values())
