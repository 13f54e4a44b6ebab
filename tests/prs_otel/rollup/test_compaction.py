from __future__ import annotations

from typing import Any

import pytest

from prs_otel.rollup import codec, compaction, retention, series
from prs_otel.rollup.cell import Cell
from prs_otel.rollup.compaction import Compactor, Replacement
from prs_otel.rollup.gauge import reading
from prs_otel.rollup.retention import Merge
from prs_otel.store.base import Bucket, Store
from tests.prs_otel.rollup.stored import (
    LIMIT,
    Writer,
    beat,
    counts,
    new_store,
    requests,
)
from tests.prs_otel.rollup.stored import new_view as view_of

NOW = 1_700_000_000.0
DAY = 86_400.0


@pytest.fixture
def store() -> Store:
    return new_store()


def epoch_of(store: Store, holder: str = "w1", *, now: float = NOW) -> int:
    lease = store.acquire("leader", holder=holder, host="h", pid=1, ttl=10, now=now)
    assert lease is not None
    return lease.epoch


def compact(store: Store, *, epoch: int, now: float = NOW) -> list[Replacement]:
    compactor = Compactor(store, series_limit=LIMIT, retention_seconds=DAY)
    return list(compactor.compact(now=now, epoch=epoch))


def levels(store: Store) -> list[int]:
    with store.reading() as reader:
        return [row.level for row in reader.rows()]


def test_whoever_has_lost_the_lease_changes_nothing(store: Store) -> None:
    for n in range(3):
        Writer(store, f"w{n}").append(requests(("/a/", 1)), at=NOW - 60)
    epoch = epoch_of(store, "w1")
    epoch_of(store, "w2", now=NOW + 60)

    assert compact(store, epoch=epoch) == []
    assert levels(store) == [0, 0, 0]


def test_a_bucket_that_goes_while_it_is_merged_stops_the_round(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    for n in range(3):
        Writer(store, f"w{n}").append(requests(("/a/", 1)), at=NOW - 60)
    plan = retention.plan

    def plan_while_another_evicts(*args: Any, **kwargs: Any) -> list[Merge]:
        merges = plan(*args, **kwargs)
        store.evict(quota_bytes=1)
        return merges

    monkeypatch.setattr(retention, "plan", plan_while_another_evicts)

    assert compact(store, epoch=epoch_of(store)) == []
    assert levels(store) == []


def test_a_round_is_bounded_and_the_next_one_goes_on(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compaction, "_MERGES_A_ROUND", 2)
    for n in range(5):
        Writer(store, f"w{n}").append(requests(("/a/", 1)), at=NOW - 60 - 20 * n)
    epoch = epoch_of(store)

    rounds = [len(compact(store, epoch=epoch)) for _ in range(3)]

    assert rounds == [2, 2, 1]
    assert counts(view_of(store), seconds=600, now=NOW) == {"/a/": 5}


def test_what_has_expired_goes_without_a_merge(store: Store) -> None:
    Writer(store).append(requests(("/a/", 1)), at=NOW - 2 * DAY)

    assert compact(store, epoch=epoch_of(store)) == []
    assert levels(store) == []


def test_gauges_are_merged_with_their_bucket(store: Store) -> None:
    key = ("system.cpu.utilization", ("web-1",))
    for n in range(2):
        Writer(store, f"w{n}").append(at=NOW - 60, gauges={key: reading(n, NOW - 60)})

    compact(store, epoch=epoch_of(store))

    (gauge,) = view_of(store).gauges(key[0], seconds=600, now=NOW).values()
    assert (gauge.count, gauge.mean) == (2, 0.5)


def total_of(store: Store) -> Cell:
    with store.reading() as reader:
        (row,) = reader.rows()
        blob = reader.read("totals", [row.id])[row.id]
    return codec.decode_cells(blob, limit=1).by_kind[series.REQUEST][()]


def appended(store: Store, number: int, *, cells: bytes, totals: bytes = b"") -> None:
    start = NOW - 60
    bucket = Bucket(0, start, start + 5, cells, b"", b"", {}, totals)
    store.append(
        bucket,
        worker=f"other{number}",
        sequence=1,
        beat=beat(f"other{number}"),
        texts={},
    )


@pytest.mark.parametrize("stored", [b"", b"?"], ids=["absent", "damaged"])
def test_totals_that_cannot_be_read_are_summed_up_anew(
    store: Store, stored: bytes
) -> None:
    Writer(store).append(requests(("/a/", 1)), at=NOW - 55)
    cells = codec.encode_cells(requests(("/a/", 2), ("/b/", 4)))
    appended(store, 1, cells=cells, totals=stored)

    assert compact(store, epoch=epoch_of(store))
    total = total_of(store)
    assert (total.count, total.total, total.maximum) == (3, 7, 4)


def test_the_totals_of_a_damaged_bucket_go_with_it(store: Store) -> None:
    Writer(store).append(requests(("/a/", 1)), at=NOW - 55)
    totals = codec.encode_cells(requests(("/a/", 2)))
    appended(store, 1, cells=b"?", totals=totals)

    assert compact(store, epoch=epoch_of(store))
    assert total_of(store).count == 1
